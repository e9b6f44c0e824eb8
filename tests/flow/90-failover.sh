#!/bin/sh
# A route over three environments with a real HAProxy: of three with two dead nothing goes to the dead; 30 %
# errors are found; a slow, overloaded single backend gets no 503 of our own; checks and failures that take
# turns do not make it flap; what a person orders stands above all and is undone; what is wrong is said.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=router.sh
. "$here/router.sh"

echo '{"bases": {}}' >bases.json
: >sim.env
free_ports 5 >ports
{ read -r port_one && read -r port_two && read -r port_three && read -r port && read -r port_alone; } <ports
manifest() { # manifest LINES-OF-THE-ROUTE
    cat >trine.yaml <<END
project: flow
apps:
  api: { kind: service, path: ., port: 8080, health: /health }
environments:
$(environments one "$port_one" two "$port_two" three "$port_three")
checks:
  health: { app: api, path: /health, every: 10s, timeout: 1s }
traffic:
  api: { listen: "127.0.0.1:$port", connect_within: 200ms, answer_within: 2s, hold: 1s, slow_start: 0s, $1 }
END
}
backend one "$port_one" && backend two "$port_two" && backend three "$port_three"
manifest 'weights: { one: 34, two: 33, three: 33 }'
deploy -q
is 'deployed' "$status" 0
serve
check 'all three are up' until_true 200 all_up

# --- Two of three are dead: field.md's sixth --------------------------------------------------------

tell KILL two
tell KILL three
check 'the two dead ones are found without any traffic' until_true 100 eval 'stands two state down && stands three state down'
primary=one
load "$port" 200 3
is 'no request is lost' "$(user lost_elsewhen)" 0
is 'and none goes to the dead' "$(awk '$3 != 1' load.log | wc -l)" 0
is 'it does not fail open' "$(traffic | jq .routes[0].failing_open)" false
backend two "$port_two"
backend three "$port_three"
check 'both come back' until_true 300 all_up

# --- 30 % errors on one: the seventh -----------------------------------------------------------------

tell WINCH one
load "$port" 100 8 &
loader=$!
children="$children $loader"
check '30 % errors are found while the checks are fine' until_true 100 stands one out true
check 'and the log says what was seen' eval "changes 'map(select(.environment == \"one\" and (.event == \"errors\" or .event == \"live-down\"))) | length > 0' | grep -q true"
wait "$loader"
is 'users saw none of it' "$(user lost_elsewhen)" 0
tell WINCH one
check 'it comes back when mended' until_true 600 all_up

# --- Orders ------------------------------------------------------------------------------------------

t traffic drain -e one --for 1h --why 'flow test'
is 'a drain is followed' "$status" 0
is 'nothing new goes there' "$(standing one share)" 0
load "$port" 100 1
is 'really' "$(awk '$3 == 1' load.log | wc -l)" 0
t traffic restore
check 'and is undone' until_true 50 eval 'standing one share | grep -q ^0.3'
t traffic weights one=100 two=0 three=0
is 'weights are ordered' "$(standing one share) $(standing one order.weight)" '1 100'
t traffic weights one=0 two=100
is 'and swapped, though for a moment nobody would be left' "$(standing one out) $(standing two share)" 'true 1'
t traffic drain -e two
is 'the last one is not ordered away, orders in force counted' "$status" 2
check 'and it is said who would be left' says 'nobody would be left to answer (one with weight 0, two drained, three with weight 0)'
t traffic restore one
is 'a word that would be ignored takes nothing back' "$status $(standing two share)" '2 1'
t traffic restore
check 'all orders are taken back' until_true 50 eval 'standing one share | grep -q ^0.3'
t traffic override down -e two --for 2s
is 'an override is followed' "$(standing two state)" down
check 'and ends by itself' until_true 150 stands two state up

# --- Orders by the API ---------------------------------------------------------------------------------

t token create page --scope operate
token=$(cat out)
order() { # order JSON: its answer's status; the answer in order.json
    curl -s --max-time 10 -o order.json -w '%{http_code}' -X POST -H "Authorization: Bearer $token" -d "$1" \
        "$url/api/v1/traffic/orders"
}
refused() { jq -re .error.text order.json | grep -F "$1"; }
is 'an order without a token is refused' "$(token=wrong order '{}')" 401
is 'a weight that is a text is refused, not taken for 0' \
    "$(order '{"route": "api", "environment": "one", "kind": "weight", "weight": "50"}')" 400
check 'and named' refused 'weight: give a whole number'
is 'so is one that is left out' "$(order '{"route": "api", "environment": "one", "kind": "weight"}')" 400
is 'and a time that is a text' "$(order '{"route": "api", "environment": "one", "kind": "drain", "for_ms": "1h"}')" 400
t traffic drain -e one,two
is 'nor does it order the last one away' "$(order '{"route": "api", "environment": "three", "kind": "down"}')" 400
check 'and says why' refused 'nobody would be left to answer'
is 'an order is taken' "$(order '{"route": "api", "environment": "one", "kind": "none"}')" 202
check 'and followed' until_true 50 stands one out false
t traffic restore
check 'all are back' until_true 50 eval 'standing two share | grep -q ^0.3'

# --- A restart of trine is no event for users ---------------------------------------------------------

load "$port" 200 8 &
loader=$!
children="$children $loader"
haproxy_before=$(cat state/traffic/haproxy.pid)
until_true 20 test -s load.log
kill -9 "$pid"
wait "$pid" 2>/dev/null
serve
check 'a killed trine goes on steering when it is back' until_true 200 all_up
wait "$loader"
is 'nothing was lost meanwhile' "$(user lost_elsewhen)" 0
is 'the same HAProxy was adopted' "$(cat state/traffic/haproxy.pid)" "$haproxy_before"

# --- A new manifest is taken without dropping a connection --------------------------------------------

manifest 'weights: { one: 80, two: 20 }, backup: [three]'
load "$port" 200 5 &
loader=$!
children="$children $loader"
kill -HUP "$pid"
check 'the new weights are in force' until_true 150 stands one share 0.8
wait "$loader"
is 'and the reload lost nothing' "$(user lost_elsewhen)" 0

# --- HAProxy itself is killed --------------------------------------------------------------------------

kill -9 "$(cat state/traffic/haproxy.pid)"
check 'a killed HAProxy is started again' until_true 200 eval 'steers && ! [ "$(cat state/traffic/haproxy.pid)" = "$haproxy_before" ] && curl -fs -o /dev/null http://127.0.0.1:$port/'
is 'with the weights of before' "$(standing one share)" 0.8

# --- What is wrong is said -----------------------------------------------------------------------------

kill "$pid"
wait "$pid" 2>/dev/null
t traffic status
is 'nobody steers: exit status 1' "$status" 1
check 'and it says so' prints 'nobody steers'
haproxy_end
node -e "require('net').createServer().listen($port, '127.0.0.1', () => console.log('taken'))" >taken &
taker=$!
children="$children $taker"
until_true 50 grep -q taken taken
serve
check 'a port in use is named' until_true 100 grep -q ":$port" bg.err
kill "$taker"
wait "$taker" 2>/dev/null
check 'and taken once it is free' until_true 600 steers
"$program" serve --listen 127.0.0.1:0 -f trine.yaml --state state --bases bases.json --env-file sim.env \
    >second.out 2>second.err &
second=$!
children="$children $second"
check 'a second daemon says who steers' until_true 100 grep -q 'held by' second.err
kill "$second" && wait "$second" 2>/dev/null
is 'and the first goes on' "$(steers >/dev/null && echo yes)" yes
kill "$pid"
wait "$pid" 2>/dev/null

# --- One slow backend, too many requests: the fifth ----------------------------------------------------

haproxy_end
tell USR2 one # every answer 2 s late
cat >trine.yaml <<END
project: flow
apps:
  api: { kind: service, path: ., port: 8080, health: /health }
environments:
$(environments one "$port_one")
checks:
  health: { app: api, path: /health, every: 1s, timeout: 1s }
traffic:
  api: { listen: "127.0.0.1:$port_alone", answer_within: 1s, weights: { one: 100 } }
END
deploy -q
serve
until_true 100 steers
check 'its checks fail' until_true 150 eval "standing one quorum.finding | grep -q down"
load "$port_alone" 100 10
is 'the only one is not taken out on checks alone' "$(standing one out)" false
is 'no answer of our own making' "$(user lost_elsewhen)" 0
finish
