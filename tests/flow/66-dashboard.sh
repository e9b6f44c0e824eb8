#!/bin/sh
# The dashboard as people see it: 45 deployments in the simulator, trine serve measuring them, and every
# page walked in Chromium (tests/web/walk.mjs), at phone and desk width, in light and dark.
# TRINE_KEEP=1 leaves the screenshots in the folder shots.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

web=$here/../web
chromium=${CHROMIUM:-/usr/bin/chromium}
[ -x "$chromium" ] || skip_all "$chromium is not there: install chromium"
[ -d "$web/node_modules" ] || skip_all 'tests/web/node_modules is not there: run npm ci in tests/web'

cp "$example/sim.env" .
start_sim --latency "$example/latency.json"
forty_five
cat >>trine.yaml <<END
checks:
  health: { app: api, path: /health, every: 1s, timeout: 900ms, slow: 500ms }
  shop: { app: shop, path: /, every: 2s, timeout: 1s }
  chat: { app: chat, path: /, every: 2s, timeout: 1s }
targets: { avg: 500ms, p95: 1000ms, success: 99%, uptime: 99.9%, cold_start: 15s }
END
deploy
is 'the 45 are live' "$(live)" 45

begin serve --listen 127.0.0.1:0
until_true 200 grep -q 'http://' bg.out || {
    sed 's/^/# /' bg.err
    echo 'Bail out! trine serve does not start'
    exit 1
}
address=$(grep -o 'http://[^ /]*' bg.out | head -1)
t token create walker --scope operate
token=$(tail -1 out)
samples() { # have N samples been kept?
    [ "$(curl -fsS --max-time 10 "$address/api/v1/compare?from=1h" |
        jq '[.environments[].samples.ok] | add // 0')" -ge "$1" ]
}
until_true 600 samples 200
report $? 'trine serve has measured'

mkdir -p shots
CHROMIUM=$chromium node "$web/walk.mjs" "$address" "$work/shots" "$token" >walk.out 2>walk.err
walked=$?
adopt walk.out
grep -q '^1\.\.' walk.out
report $? "the walk came to its end (exit status $walked)"
grep -q '^1\.\.' walk.out || sed 's/^/# /' walk.err | tail -12

kill "$pid"
wait "$pid"
is 'trine serve ends when it is told to' $? 0
finish
