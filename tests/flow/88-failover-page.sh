#!/bin/sh
# A whole failover and return, watched in the dashboard in Chromium (tests/web/failover.mjs): the simulator's
# UAT breaks and is mended behind a real HAProxy with traffic; the page follows by itself, at phone and desk
# width, in light and dark; the incident opens and is over; an order and a drill by their buttons. Beside it
# the states that are rare (tests/web/states.mjs), on a stage before the same server.
# TRINE_SHOTS names a folder that gets the screenshots.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=router.sh
. "$here/router.sh"

web=$here/../web
chromium=${CHROMIUM:-/usr/bin/chromium}
[ -x "$chromium" ] || skip_all "$chromium is not there: install chromium"
[ -d "$web/node_modules" ] || skip_all 'tests/web/node_modules is not there: run npm ci in tests/web'
shots=${TRINE_SHOTS:-$work/shots}
mkdir -p "$shots" api
shots=$(realpath "$shots")

credentials
cat >latency.json <<END
{"seed": 7, "hosts": [{"host": "*.localhost", "median_ms": 5, "p95_ms": 12}]}
END
start_sim --latency latency.json
port=$(free_ports 1)
cat >trine.yaml <<END
project: flow
apps:
  api: { kind: service, path: api, port: 5024 }
environments:
  uat: { branch: develop, service: $(binding koyeb) }
  beta: { branch: staging, service: $(binding render) }
  preprod: { branch: release, service: $(binding railway) }
checks:
  health: { app: api, path: /health, every: 2s, timeout: 900ms }
traffic:
  api: { app: api, weights: { uat: 90, beta: 10 }, backup: [preprod], listen: "127.0.0.1:$port", check: health,
         hold: 4s, slow_start: 1s, detect: 2s, connect_within: 500ms, answer_within: 1s }
END
deploy
is 'deployed' "$status" 0
host=$("$program" status -e uat --json -q -f trine.yaml --state state 2>/dev/null |
    jq -r '[.environments[].deployments[].url // empty][0]' | sed 's|^[a-z]*://||; s|[:/].*||')
serve
check 'the router steers all three' until_true 300 all_up
t token create walker --scope operate
token=$(tail -1 out)

# For as long as the walk lasts; not through a function, or its process would outlive this one.
"$tools/failover_load" "$port" 20 600 0 true 999999 true one load.log >load.json &
users=$!
children="$children $users"
# What no simulator brings about in a test's time, at the same time: rare states, told to a page of their own.
CHROMIUM=$chromium node "$web/states.mjs" "$url" "$token" "${TRINE_SHOTS:+$shots}" >states.out 2>states.err &
states=$!
children="$children $states"
CHROMIUM=$chromium node "$web/failover.mjs" "$url" "$shots" "$token" "$control" "$host" >walk.out 2>walk.err
walked=$?
adopt walk.out
grep -q '^1\.\.' walk.out
report $? "the walk came to its end (exit status $walked)"
grep -q '^1\.\.' walk.out || sed 's/^/# /' walk.err | tail -12
wait "$states"
walked=$?
adopt states.out
grep -q '^1\.\.' states.out
report $? "the rare states came to their end (exit status $walked)"
grep -q '^1\.\.' states.out || sed 's/^/# /' states.err | tail -12
is 'the simulator has no fault left' "$(curl -fsS --max-time 10 "$control/faults")" '[]'

kill "$pid"
wait "$pid"
is 'trine serve ends when it is told to' $? 0
finish
