#!/bin/sh
# Agents: two of them vote from elsewhere. A wrong token, a clock an hour off, an uplink that is cut and comes
# back, kill -9: said plainly, nothing lost, nothing stored twice. Where network namespaces can be made, each
# agent is in one of its own, with a cable to the world in which server and sites are; else all are in one,
# and the cut is made in the tunnels.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

command -v node >/dev/null 2>&1 || skip_all 'no node'
command -v sqlite3 >/dev/null 2>&1 || skip_all 'no sqlite3'
library=$(find /usr/lib /usr/local/lib -name 'libfaketimeMT.so.1' 2>/dev/null | head -n 1)
[ -n "$library" ] || skip_all 'no libfaketime'

# --- The world ---------------------------------------------------------------------------------------
world=trine-w$$ namespaces=yes
for n in "$world" "trine-1-$$" "trine-2-$$"; do
    ip netns add "$n" 2>/dev/null && ip -n "$n" link set lo up 2>/dev/null || namespaces=no
done
drop_namespaces() {
    clean_up
    for n in "$world" "trine-1-$$" "trine-2-$$"; do
        ip netns del "$n" 2>/dev/null
    done
}
trap drop_namespaces EXIT
address=127.0.0.1
if [ $namespaces = yes ]; then
    address=10.78.0.1
    ip -n "$world" addr add $address/32 dev lo
    for n in 1 2; do
        ip link add "cable$n" netns "$world" type veth peer name cable netns "trine-$n-$$"
        ip -n "$world" addr add 10.78.$n.1/24 dev "cable$n"
        ip -n "$world" link set "cable$n" up
        ip -n "trine-$n-$$" addr add 10.78.$n.2/24 dev cable
        ip -n "trine-$n-$$" link set cable up
        ip -n "trine-$n-$$" route add default via 10.78.$n.1
    done
fi
inside() { # inside NAMESPACE COMMAND...
    inside_name=$1
    shift
    if [ $namespaces = yes ]; then
        exec nsenter --net="/run/netns/$inside_name" "$@"
    fi
    exec "$@"
}
sever() { if [ $namespaces = yes ]; then ip -n "$world" link set "cable$1" down; else : >"cut$1"; fi; }
mend() { if [ $namespaces = yes ]; then ip -n "$world" link set "cable$1" up; else rm -f "cut$1"; fi; }

echo '{"bases": {}}' >bases.json
: >sim.env
cat >sites.mjs <<'END'
// Two sites; one answers 503 while the file "ill" is there.
import { createServer } from "node:http";
import { existsSync, writeFileSync } from "node:fs";
const ports = [];
for (const name of ["uat", "beta"]) {
  const server = createServer((request, response) => {
    if (name === "uat" && existsSync("ill")) return response.writeHead(503).end();
    response.setHeader("content-type", "application/json").end(`{"commit": "${process.argv[3]}"}`);
  });
  server.listen(0, process.argv[2], () => {
    ports.push(`${name}=${server.address().port}`);
    if (ports.length === 2) writeFileSync("ports", ports.join("\n") + "\n");
  });
}
END
(inside "$world" node sites.mjs "$address" "$commit") &
children="$children $!"
until_true 100 test -s ports
port_of() { sed -n "s/^$1=//p" ports; }
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: service, path: ., port: 8080, health: / }
environments:
$(for e in uat beta; do
    echo "  $e: { branch: main, service: { platform: exec, name: $e, deploy: 'echo \"{\\\"url\\\": \\\"http://$address:$(port_of $e)\\\", \\\"state\\\": \\\"live\\\"}\"' } }"
done)
checks:
  page: { app: web, path: /, every: 1s, timeout: 900ms, down_after: 2 }
  closed: { app: web, path: /, every: 1s, timeout: 900ms, headers: { X-Key: \$CANARY } }
probe:
  control: ["http://$address:$(port_of beta)/"]
  quorum: 2
traffic:
  web: { app: web, check: page, weights: { uat: 90, beta: 10 }, down_after: 2, up_after: 2, hold: 2s }
END
echo 'CANARY=canary-5ecret-value' >sim.env
(inside "$world" "$program" deploy --commit "$commit" -f trine.yaml --state state --bases bases.json --env-file sim.env) >out 2>err
status=$?
is 'the services are live' "$status" 0
token() { "$program" token create "$1" --scope "$2" -q -f trine.yaml --state state; }
fra=$(token fra agent) nyc=$(token nyc agent) reader=$(token eye read)

serve() {
    (inside "$world" "$program" serve --listen "0.0.0.0:${port:-0}" -f trine.yaml --state state --bases bases.json \
        --env-file sim.env) >serve.out 2>>serve.err &
    server=$!
    children="$children $server"
    until_true 100 grep -q http serve.out
    port=$(sed -n 's/.*:\([0-9]*\)\/$/\1/p' serve.out)
}
serve
api() { # api PATH FILTER
    (inside "$world" curl -fsS --max-time 5 -H "Authorization: Bearer $reader" "http://$address:$port/api/v1/$1") >answer.json &&
        jq -r "$2" answer.json
}

# Each agent reaches the server by a tunnel to its own address: http is for loopback only.
cat >tunnel.mjs <<'END'
import { connect, createServer } from "node:net";
import { existsSync, writeFileSync } from "node:fs";
const [address, port, cut, ready] = process.argv.slice(2);
const server = createServer((near) => {
  near.on("error", () => {});
  if (existsSync(cut)) return near.destroy();
  const far = connect(Number(port), address);
  const end = () => (near.destroy(), far.destroy());
  const look = setInterval(() => existsSync(cut) && end(), 50);
  far.on("error", end).on("close", () => (clearInterval(look), end()));
  near.on("close", end);
  near.pipe(far).pipe(near);
});
server.listen(0, "127.0.0.1", () => writeFileSync(ready, `http://127.0.0.1:${server.address().port}\n`));
END
for n in 1 2; do
    (inside "trine-$n-$$" node tunnel.mjs "$address" "$port" "cut$n" "tunnel$n") &
    children="$children $!"
    until_true 100 test -s "tunnel$n"
done
agent() { # agent N NAME TOKEN [VARIABLE=VALUE...]: leaves $pid and agentN.err
    agent_n=$1 agent_name=$2 agent_token=$3
    shift 3
    (inside "trine-$agent_n-$$" env TRINE_TOKEN="$agent_token" "$@" "$program" agent --server "$(cat "tunnel$agent_n")" \
        --name "$agent_name" --state "far$agent_n") >/dev/null 2>>"agent$agent_n.err" &
    pid=$!
    children="$children $pid"
}
about() { api agents ".agents[] | select(.name == \"$1\") | $2"; } # about NAME FILTER
is_so() { [ "$(about "$1" "$2")" = "$3" ]; }
stored() { sqlite3 state/trine.db "SELECT coalesce(sum(n), 0) FROM observations WHERE vantage = '$1'"; }
has_more() { [ "$(stored "$1")" -gt "$2" ]; }

# --- What is refused ---------------------------------------------------------------------------------
trine agent --server http://trine.example.org
is 'http is for this machine only' "$status" 2
check 'and it says why' says 'can read the token'
TRINE_TOKEN='' trine agent --server https://trine.example.org
check 'without a token it says how to get one' says 'trine token create NAME --scope agent'
wrong() { # wrong TOKEN
    TRINE_TOKEN=$1 timeout 20 sh -c "$(if [ $namespaces = yes ]; then echo "exec nsenter --net=/run/netns/trine-1-$$"; else echo exec; fi) \
        '$program' agent --server $(cat tunnel1) --name fra --state wrong" >out 2>err
    status=$?
}
wrong trine_0000000000000000000000000000000000000000000000000000000000000000
is 'a wrong token ends it with 3' "$status" 3
check 'and it says so' says 'refuses the token'
wrong "$reader"
is 'a token of another scope does, too' "$status" 3
check 'and it says which is needed' says 'needs agent'
is 'an agent may not read what is not for it' "$( (inside "$world" curl -s -o /dev/null -w '%{http_code}' \
    -H "Authorization: Bearer $fra" "http://$address:$port/api/v1/overview"))" 403

# --- Two that vote -----------------------------------------------------------------------------------
agent 1 fra "$fra"
first=$pid
echo +3600 >clock
agent 2 nyc "$nyc" LD_PRELOAD="$library" FAKETIME_TIMESTAMP_FILE="$work/clock" FAKETIME_NO_CACHE=1 \
    FAKETIME_DONT_FAKE_MONOTONIC=1
second=$pid
check 'the first agent votes' until_true 150 is_so fra .valid true
check 'what it measures is stored' until_true 150 has_more fra 2
nothing grep -q "$fra" "/proc/$first/cmdline"
report $? 'its token is not on its command line'
check 'a check with a secret is left out, and said' until_true 50 grep -q 'closed is left out of uat web: its header X-Key' agent1.err
nothing grep -rqa canary-5ecret far1 agent1.err
report $? 'the agent was told no secret'
check 'a clock that is an hour off does not vote' until_true 150 is_so nyc .valid false
check 'the server says by how much' until_true 50 is_so nyc '.clock_off_ms > 3590000 and .clock_off_ms < 3610000' true
check 'the agent says so' until_true 50 grep -q "clock is ahead of the server's by 3" agent2.err
is 'and what it measured is not stored' "$(stored nyc)" 0
echo +0 >clock.new && mv clock.new clock
check 'once its clock is right it votes' until_true 150 is_so nyc .valid true
check 'and its measurements are stored' until_true 150 has_more nyc 2
is 'with times of now' "$(sqlite3 state/trine.db "SELECT count(*) FROM observations WHERE vantage = 'nyc' AND until_ms > 1000 * (strftime('%s', 'now') + 5)")" 0

# --- A failure that all see --------------------------------------------------------------------------
environment() { api traffic ".routes[0].environments[] | select(.name == \"$1\") | $2"; }
is_down() { [ "$(environment uat '.quorum.finding + " " + (.quorum.valid | tostring)')" = 'down 3' ]; }
: >ill
check 'three observers call it down' until_true 150 is_down
rm ill
is_up() { [ "$(environment uat .quorum.finding)" = up ]; }
check 'and up again' until_true 200 is_up

# --- Cut off, and back -------------------------------------------------------------------------------
before=$(stored fra)
sever 1
check 'an agent that is not heard of does not vote' until_true 300 is_so fra .valid false
waits() { [ "$(find far1/agent -name '0*' | wc -l)" -ge 3 ]; }
check 'what it measures waits' until_true 300 waits
kill -9 "$first"
wait "$first" 2>/dev/null
waiting=$(find far1/agent -name '0*' | wc -l)
agent 1 fra "$fra"
first=$pid
check 'killed and begun anew it goes on with it' until_true 50 grep -q 'batches of an earlier run wait' agent1.err
more_wait() { [ "$(find far1/agent -name '0*' | wc -l)" -gt "$waiting" ]; }
check 'and measures though nobody tells it what' until_true 200 more_wait
mend 1
all_sent() { is_so fra '.valid' true && is_so fra .waiting 0 && [ "$(find far1/agent -name '0*' | wc -l)" -le 1 ]; }
check 'mended, all of it arrives' until_true 600 all_sent
has_more fra $((before + 20))
report $? 'with what was measured meanwhile'
is 'in its order, each once' "$(sqlite3 state/trine.db "SELECT count(*) FROM observations a JOIN observations b ON b.vantage = a.vantage
    AND b.id > a.id AND b.from_ms < a.until_ms - 950 WHERE a.vantage = 'fra'")" 0
is 'nothing was dropped' "$(about fra .dropped)" 0

# --- The server ends and comes back; the token is revoked --------------------------------------------
kill -9 "$server"
wait "$server" 2>/dev/null
sent=$(stored fra)
check 'the agents notice' until_true 200 grep -q 'what is measured waits' agent1.err
: >serve.out
serve
check 'they are there again' until_true 300 is_so fra .valid true
check 'and go on' until_true 200 has_more fra "$sent"
"$program" token revoke fra -q -f trine.yaml --state state
check 'a token that is revoked is said' until_true 200 grep -q 'no longer takes the token' agent1.err
kill -0 "$first"
report $? 'and the agent goes on measuring'

# --- A token has one vote, and can be replaced --------------------------------------------------------
trine traffic status -f trine.yaml --state state --bases bases.json --env-file sim.env
prints 'as seen from each vantage point' && grep -q '^fra  *uat  *web  *page' out && grep -q '^here  *uat  *web  *page' out
report $? 'what the agents measured is shown beside our own'
post() { # post TOKEN NAME
    printf '{"vantage":"%s","boot":"by-hand","version":"0","now_ms":%s000,"blind":false,"waiting":0,"dropped":0,"votes":[],"batch":null}' \
        "$2" "$(date +%s)" >report.json
    (inside "$world" curl -s --max-time 5 -o out -w '%{http_code}' -H "Authorization: Bearer $1" --data-binary @report.json \
        "http://$address:$port/api/v1/agents/report") >code
    status=$(cat code)
}
post "$nyc" again
is 'a token that reports under one name has no second' "$status" 409
check 'and it is said what to do' prints 'make one for each agent'
next=$(token fra2 agent)
post "$next" nyc
is 'a name in use is not given away' "$status" 409
takes() { post "$next" fra && [ "$status" = 200 ]; }
check 'that of a token which is heard of no more is' until_true 300 takes

kill "$first" "$second"
wait "$first"
is 'an agent that is told to end ends with 0' "$?" 0
kill "$server"
wait "$server"
is 'and so does the server' "$?" 0
nothing grep -q -e 'trine_[0-9a-f]\{8\}' serve.err agent1.err agent2.err
report $? 'no token is in what was said'
finish
