#!/bin/sh
# A sleeping service: its platform is asked, and a check that must not wake it leaves it asleep.
# shellcheck shell=sh source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

credentials
start_sim
mkdir api
cat >trine.yaml <<END
project: flow
apps:
  api: { kind: service, path: api, port: 5024 }
environments:
  near: { branch: develop, service: $(binding koyeb) }
  far: { branch: release, service: $(binding railway) }
checks:
  health: { app: api, path: /health, every: 2s, wake: never }
END
deploy
is 'deployed' "$status" 0

address() { # address ENVIRONMENT
    "$program" status --json -q -f trine.yaml --state state |
        jq -r ".environments[] | select(.name == \"$1\") | .deployments[0].url"
}

# counts: each environment's good and missed slots
counts() { jq -c '[.environments[] | [.name, .ok, .missed]] | sort' out; }

t probe --count 1 -v --json
is 'awake services are measured' "$(counts)" '[["far",1,0],["near",1,0]]'

host=$(address near | sed 's|^http://||; s|:.*||')
curl -fsS --max-time 10 -d "{\"host\": \"$host\"}" "$control/sleep" >/dev/null
t probe --count 2 -v --json
is 'a sleeping one is left alone' "$(counts)" '[["far",2,0],["near",0,2]]'
check 'and it is said' says 'the service is asleep, and this check never wakes it'
check 'its platform was asked for its instances' until_true 1 \
    test "$(books '.platforms.koyeb.requests | tostring | test("GET")')" = true
t probe --count 1 --json
is 'it still sleeps' "$(counts)" '[["far",1,0],["near",0,1]]'
finish
