#!/bin/sh
# Who may call an environment down, with a real HAProxy and network namespaces. First, one of three vantage
# points cannot reach one environment: an advisory that names it, and no failover; then two cannot: a
# failover. Second, the prober's own uplink is cut under 45 checks: one notice, no incident of anybody else,
# no failover, the shares as they were. TRINE_CUT says for how many seconds each (default 12; the acceptance
# runs are 3600 and 600).
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=router.sh
. "$here/router.sh"

cut=${TRINE_CUT:-12}
command -v ip >/dev/null 2>&1 || skip_all 'no ip (package iproute2)'
world=trine-v$$ spaces="trine-v$$ trine-h$$ trine-a$$ trine-b$$"
end_spaces() {
    end_all
    for n in $spaces; do ip netns del "$n" 2>/dev/null; done
}
trap end_spaces EXIT
for n in $spaces; do
    { ip netns add "$n" && ip -n "$n" link set lo up; } 2>/dev/null ||
        skip_all 'this machine lets nobody make network namespaces'
done
nsenter --net="/run/netns/$world" true 2>/dev/null || skip_all 'network namespaces cannot be entered here'
# uat and beta have an address each, so that the way to one of them can be closed.
ip -n "$world" addr add 10.81.0.1/32 dev lo
ip -n "$world" addr add 10.81.0.2/32 dev lo
i=0
for n in "trine-h$$" "trine-a$$" "trine-b$$"; do
    i=$((i + 1))
    ip link add "cable$i" netns "$world" type veth peer name cable netns "$n"
    ip -n "$world" addr add 10.82.$i.1/24 dev "cable$i"
    ip -n "$world" link set "cable$i" up
    ip -n "$n" addr add 10.82.$i.2/24 dev cable
    ip -n "$n" link set cable up
    ip -n "$n" route add default via 10.82.$i.1
done
inside() { # inside NAMESPACE COMMAND...
    inside_name=$1
    shift
    exec nsenter --net="/run/netns/$inside_name" "$@"
}

echo '{"bases": {}}' >bases.json
: >sim.env
cat >sites.mjs <<'END'
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
let left = 3;
for (const address of ["10.81.0.1", "10.81.0.2", "10.82.1.1"])
  createServer((request, response) => response.setHeader("content-type", "application/json")
    .end(`{"commit": "${process.argv[2]}"}`)).listen(8000, address, () => --left || writeFileSync("ready", "yes"));
END
(inside "$world" node sites.mjs "$commit") &
children="$children $!"
until_true 100 test -s ready
environment_at() {
    echo "  $1: { branch: main, service: { platform: exec, name: $1, deploy: 'echo \"{\\\"url\\\": \\\"http://$2:8000\\\", \\\"state\\\": \\\"live\\\"}\"' } }"
}
cat >trine.yaml <<END
project: flow
apps:
  api: { kind: service, path: ., port: 8080, health: / }
environments:
$(environment_at uat 10.81.0.1)
$(environment_at beta 10.81.0.2)
$(environment_at preprod 10.81.0.2)
checks:
  page: { app: api, path: /, every: 1s, timeout: 900ms, down_after: 2 }
$(for k in $(seq 14); do echo "  extra$k: { app: api, path: /$k, every: 1s, timeout: 900ms, down_after: 2 }"; done)
probe:
  vantage: home
  control: ["http://10.82.1.1:8000/"]
  quorum: 2
traffic:
  api: { app: api, check: page, weights: { uat: 90, beta: 10 }, listen: "127.0.0.1:8080", hold: 1s, slow_start: 0s,
         connect_within: 500ms, answer_within: 2s }
END
(inside "trine-h$$" "$program" deploy -q --commit "$commit" -f trine.yaml --state state --bases bases.json) >out 2>err
status=$?
is 'deployed' "$status" 0
agent_token() { "$program" token create "$1" --scope agent -q -f trine.yaml --state state; }
token_a=$(agent_token fra) token_b=$(agent_token nyc)
(inside "trine-h$$" "$program" serve --listen 127.0.0.1:7467 -f trine.yaml --state state --bases bases.json \
    --env-file sim.env) >serve.out 2>serve.err &
children="$children $!"
until_true 100 grep -q http serve.out
get() { nsenter --net="/run/netns/trine-h$$" curl -fsS --max-time 5 "http://127.0.0.1:7467/api/v1/$1"; }
traffic() { get traffic; }
finding() { [ "$(standing uat "quorum.$1")" = "$2" ]; }

# An agent reaches the server through a socket in the file system: http is for loopback only.
cat >tunnel.mjs <<'END'
import { connect, createServer } from "node:net";
const [listen, target] = process.argv.slice(2).map((v) => (/^[0-9]+$/.test(v) ? { port: +v, host: "127.0.0.1" } : { path: v }));
createServer((near) => {
  const far = connect(target);
  near.pipe(far).pipe(near);
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
}).listen(listen);
END
(inside "trine-h$$" node tunnel.mjs "$work/server.socket" 7467) &
children="$children $!"
until_true 50 test -S server.socket
agent() { # agent NAMESPACE NAME TOKEN
    (inside "$1" node tunnel.mjs 7467 "$work/server.socket") &
    children="$children $!"
    (inside "$1" env TRINE_TOKEN="$3" "$program" agent --server http://127.0.0.1:7467 --name "$2" --state "far-$2") \
        >/dev/null 2>"agent-$2.err" &
    children="$children $!"
}
agent "trine-a$$" fra "$token_a"
agent "trine-b$$" nyc "$token_b"
three_vote() { finding valid 3 && finding finding up; }
check 'three vantage points vote' until_true 300 three_vote
lasts() { # as long as was asked for: this is what is tested
    left=$cut
    while [ "$left" -gt 0 ]; do sleep 1 && left=$((left - 1)); done
}
take_outs() { get 'traffic/changes?from=1h' | jq '[.changes[] | select(.action | test("take-out"))] | length'; }

# --- One of three -----------------------------------------------------------------------------------

ip -n "trine-a$$" route add blackhole 10.81.0.1/32
check 'one of three calls it down: suspect' until_true 200 finding finding suspect
lasts
is 'that is an advisory' "$(standing uat quorum.finding)" suspect
check 'which names the one' eval 'standing uat quorum.text | grep -q fra'
is 'and no failover' "$(standing uat out) $(take_outs)" 'false 0'
is 'nor an incident' "$(get incidents | jq '.incidents | length')" 0

# --- Two of three -----------------------------------------------------------------------------------

ip -n "trine-b$$" route add blackhole 10.81.0.1/32
check 'two of three: it is taken out' until_true 200 stands uat out true
ip -n "trine-a$$" route del blackhole 10.81.0.1/32
ip -n "trine-b$$" route del blackhole 10.81.0.1/32
check 'and comes back' until_true 300 stands uat out false
check 'all agree again' until_true 100 three_vote

# --- Our own uplink ---------------------------------------------------------------------------------

before=$(take_outs) incidents=$(get incidents | jq '.incidents | length')
ip -n "$world" link set cable1 down
blind() { [ "$(get prober | jq .blind)" = "$1" ]; }
check 'cut off, it knows that it is blind' until_true 200 blind true
lasts
is 'no failover' "$(standing uat out) $(standing beta out) $(take_outs)" "false false $before"
is 'the shares are as they were' "$(standing uat share | cut -c1-3)" 0.9
is 'no check is called down' "$(get checks | jq '[.checks[] | select(.state == "down")] | length')" 0
is 'of 45' "$(get checks | jq '.checks | length')" 45
ip -n "$world" link set cable1 up
check 'mended, it sees again' until_true 300 blind false
check 'and all are up' until_true 200 eval '[ "$(get checks | jq "[.checks[] | select(.state != \"up\")] | length")" = 0 ]'
is 'one incident more: of its own blindness' \
    "$(get incidents | jq -c "[.incidents[].kind][0:$(($(get incidents | jq '.incidents | length') - incidents))]")" '["blind"]'
is 'one notice, and one that it is over' "$(grep -c -e '^blind:' -e 'answer again' serve.err)" 2
is 'uptime is whole' "$(get "checks/$(get checks | jq '[.checks[] | select(.environment == "beta")][0].id')?from=1h" |
    jq .figures.uptime.value)" 1
finish
