#!/bin/sh
# Drills: a rehearsed failure is found, moved away from and returned from, measured by a canary client through a
# real HAProxy; whatever ends the drill, its fault ends too, and other people's rules and orders stay.
# (The hold is short, because it doubles with each fall of an hour, and drills are falls.)
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
  products: { app: api, path: /api/v1/products, every: 10s, timeout: 900ms }
traffic:
  api: { app: api, weights: { uat: 90, beta: 10 }, listen: "127.0.0.1:$port", check: health, hold: 100ms, slow_start: 1s,
         detect: 2s, connect_within: 500ms, answer_within: 1s }
END
deploy
is 'deployed' "$status" 0

drill() { t traffic drill -e uat --json "$@"; }
that() { check "$1" jq -e "$2" out; } # of the drill that was printed
rules() { curl -fsS --max-time 10 "$control/faults"; }
ours() { rules | jq -e 'any(.[]; .note // "" | startswith("trine drill"))' >where; } # a drill's rule is in force
orders() { jq -r '[.routes[].environments[].order.who // empty] | join(" ")' traffic.json; }
no_order() { traffic >traffic.json && [ -z "$(orders)" ]; }
drained() { traffic >traffic.json && orders | grep -q 'trine drill'; }
is_empty() { [ -z "$1" ]; }
start_serve() {
    serve
    echo "$pid" >serve.pid
    cp bg.out serve.out
}
records() { # records FILTER: over the list
    t traffic drills --json && jq -r ".drills | $1" out
}

drill --fault drain --for 2s
is 'with nobody who steers it is refused' "$status" 1
check 'with the reason' says 'start trine serve'

t token create drills --scope operate
token="Authorization: Bearer $(cat out)"
start_serve
until_true 300 all_up
report $? 'the router steers both'
theirs='[{"host":"beta.example","note":"of somebody else","status":500}]'
faults "$theirs"

# --- Each fault --------------------------------------------------------------------------------------

for fault in drain stop hang errors slow grey; do
    until_true 600 all_up
    drill --fault $fault --for 3s --rate 50
    is "$fault: it passes" "$status" 0
    that "$fault: nothing was lost" '.outcome == "passed" and .lost == 0 and .sent >= 150'
    that "$fault: found, decided, applied, in this order" '.detect_ms >= 0 and .decide_ms >= .detect_ms and
        .apply_ms >= .decide_ms'
    that "$fault: users were well again before its end" '.recover_ms >= 0 and .recover_ms < .fault_ms'
    that "$fault: it got its share back" '.return_ms >= 0'
    is "$fault: only rules of others are left" "$(rules | jq -cS .)" "$(echo "$theirs" | jq -cS .)"
    until_true 50 no_order
    report $? "$fault: and no order"
done
t traffic drills --json
that 'recovery is shown with how many drills it is from' '(.recovery | length) == 6 and all(.recovery[]; .n == 1 and
    .lost == 0 and .p50_ms <= .max_ms)'
t traffic drills
check 'a table says that so few tell no range of a p95' prints 'not enough: 1 of 59'

# --- Refused -----------------------------------------------------------------------------------------

t traffic drill
is 'no environment: refused' "$status" 2
t traffic drill -e preprod
check 'one that the route does not lead to is named' says 'does not lead to preprod'
drill --fault explode
check 'an unknown fault gets the list' says 'there are stop, hang, errors, slow, grey and drain'
drill --for 2h
check 'too long' says 'to an hour'
drill --rate 5000
check 'too fast' says 'at most 200 requests'
trine traffic drill -e uat --fault stop -f trine.yaml --state state
is 'a real platform is not told to fail' "$status" 1
check 'but can be drained' says '--fault drain'
t traffic drain -e uat --for 5m
drill --fault stop --for 2s
is 'while a person has drained it: refused' "$status" 1
check 'and says how to go on' says 'trine traffic restore -e uat'
traffic >traffic.json
nothing is_empty "$(orders)"
report $? 'whose order stays'
t traffic restore -e uat
t traffic drain -e beta --for 5m
drill --fault stop --for 2s
is 'of the last one that is up: refused' "$status" 1
check 'for users would lose everything' says 'uat is the only environment of route api that is up'
t traffic restore -e beta
until_true 600 all_up
incident() { sqlite3 -cmd '.timeout 10000' state/trine.db "$1"; }
incident "INSERT INTO incidents(id, kind, platform, environment, app, title, from_ms, until_ms, noticed_ms, acknowledged_ms)
    VALUES (999, 'outage', 'railway', 'beta', 'api', 'railway: api fails in beta', 1000, 0, 1000, 0)"
drill --fault stop --for 2s
is 'while an incident is open: refused' "$status" 1
check 'and it is named' says 'incident 999 is open (railway: api fails in beta)'
incident 'DELETE FROM incidents WHERE id = 999'

# --- Two at once, and a hand that ends it ------------------------------------------------------------

begin traffic drill -e uat --fault errors --for 10m
until_true 300 ours
report $? 'a drill goes on'
drill --fault drain --for 2s
is 'a second one is refused' "$status" 1
check 'and says who runs the first' says 'another drill is running'
is 'also by the API' "$(curl -s -o /dev/null -w '%{http_code}' -H "$token" -H 'Content-Type: application/json' \
    -d '{"route": "api", "environment": "uat", "fault": "drain", "for_ms": 2000}' "$url/api/v1/drills")" 503
kill -INT "$pid"
wait "$pid"
is 'ended by hand its status says so' "$?" 1
nothing ours
report $? 'its fault is gone'
is 'the record says interrupted' "$(records '.[0].outcome')" interrupted

# --- Killed ------------------------------------------------------------------------------------------

until_true 600 all_up
begin traffic drill -e uat --fault errors --for 10m
until_true 300 ours
serve_pid=$(cat serve.pid)
kill -STOP "$serve_pid" # it looks for dead drills once a minute, and could be faster than we
kill -9 "$pid"
wait "$pid" 2>/dev/null
check 'killed, its fault is still there' ours
is 'and its record runs' "$(records '.[0].outcome')" running
kill -CONT "$serve_pid"
next_drill() { # not refused because serve is at the dead one just now
    t traffic drill -e beta --fault drain --for 2s --json
    [ "$status" -eq 0 ]
}
check 'the next drill follows' until_true 300 next_drill
that 'and does its own' '.outcome == "passed"'
is 'the dead one is closed' "$(records 'map(select(.fault == "errors"))[0].outcome')" interrupted
check 'and its record says what was undone' grep -q 'the fault was undone by a later one' out
is 'only rules of others are left' "$(rules | jq -cS .)" "$(echo "$theirs" | jq -cS .)"

until_true 600 all_up
begin traffic drill -e uat --fault drain --for 10m
until_true 300 drained
kill -9 "$pid"
wait "$pid" 2>/dev/null
kill -TERM "$serve_pid"
wait "$serve_pid"
start_serve
until_true 600 all_up
no_order
report $? 'serve, when it starts, takes the order of a dead drill back'
is 'and closes its record' "$(records '.[0].outcome')" interrupted

# --- By the API --------------------------------------------------------------------------------------

post() { curl -fsS --max-time 60 -H "$token" -H 'Content-Type: application/json' -d "$2" "$url/api/v1/drills$1" >out 2>err; }
drills() { curl -fsS --max-time 10 "$url/api/v1/drills"; }
over() { drills | jq -e '.running == null and .drills[0].outcome == "passed"'; }
curl -sN --max-time 120 "$url/api/v1/events" >events 2>/dev/null &
children="$children $!"
until_true 50 post '' '{"route": "api", "environment": "uat", "fault": "stop", "for_ms": 2000, "rate": 50}'
report $? 'a drill is begun by the API'
that 'which answers with it' '.outcome == "running" and .fault == "stop" and
    .detect_ms == null and .return_ms == null and .standby_woken == null'
running() { drills | jq -e '.running.fault == "stop" and (.progress | length > 0)'; }
until_true 100 running
report $? 'it is shown while it runs, with how far it is'
until_true 600 over
report $? 'and when it is over'
check 'pages are told' grep -q '^event: drills' events
until_true 600 all_up
post '' '{"environment": "uat", "fault": "drain", "for_ms": 600000}'
until_true 300 drained
post /stop '{}'
report $? 'it can be stopped'
stopped() { drills | jq -e '.running == null and .drills[0].outcome == "interrupted"'; }
until_true 300 stopped
report $? 'and is interrupted then'
until_true 100 no_order
report $? 'its order is taken back'
is 'nonsense is refused' "$(curl -s -o /dev/null -w '%{http_code}' -H "$token" -H 'Content-Type: application/json' \
    -d '{"environment": "uat", "fault": 7}' "$url/api/v1/drills")" 400

# Trine ends while one runs.
until_true 600 all_up
post '' '{"environment": "uat", "fault": "errors", "for_ms": 600000}'
until_true 300 ours
kill -TERM "$(cat serve.pid)"
wait "$(cat serve.pid)"
nothing ours
report $? 'a trine serve that ends, ends its fault'
is 'as interrupted' "$(records '.[0].outcome')" interrupted
finish
