#!/bin/sh
# Drills: a rehearsed failure is found, moved away from and returned from, measured by a canary client through a
# real HAProxy; whatever ends the drill, its fault ends too, and other people's rules and orders stay.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=router.sh
. "$here/router.sh"

credentials
cat >latency.json <<END
{"seed": 7, "hosts": [{"host": "*.localhost", "median_ms": 5, "p95_ms": 12}]}
END
start_sim --latency latency.json
mkdir api
port=$(free_ports 1)
railway() { binding railway | sed "s/project: flow/project: $1, plan: hobby/"; }
cat >trine.yaml <<END
project: flow
apps:
  api: { kind: service, path: api, port: 5024 }
environments:
  uat: { branch: develop, service: $(railway uat) }
  beta: { branch: staging, service: $(railway beta) }
checks:
  health: { app: api, path: /health, every: 1s, timeout: 900ms }
traffic:
  api: { app: api, weights: { uat: 90, beta: 10 }, listen: "127.0.0.1:$port", check: health, hold: 2s, slow_start: 1s,
         detect: 2s, connect_within: 500ms, answer_within: 1s }
END
deploy
is 'deployed' "$status" 0

drill() { t traffic drill -e uat --json "$@"; }
of() { jq -r ".$1" out; } # of the drill that was printed

drill --fault drain --for 2s
is 'with nobody who steers it is refused' "$status" 1
check 'with the reason' says 'start trine serve'

serve
until_true 300 all_up
report $? 'the router steers both'

for fault in drain stop errors slow; do
    drill --fault $fault --for 4s --rate 50
    cat out err
done
t traffic drills
cat out err
