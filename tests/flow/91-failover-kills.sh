#!/bin/sh
# kill -9 in each phase of a failover, of trine, of HAProxy and of an agent: the end state is right, users lose
# nothing while trine or the agent is away, there is one incident, and nobody is alerted twice of the same.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=router.sh
. "$here/router.sh"

echo '{"bases": {}}' >bases.json
echo 'HOOK_SECRET=whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0' >sim.env
free_ports 5 >ports
{ read -r port_one && read -r port_two && read -r port_three && read -r port && read -r port_hook; } <ports
cat >receiver.mjs <<END
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";
createServer((request, response) => {
  let body = "";
  request.on("data", part => (body += part)).on("end", () => {
    appendFileSync("received", JSON.stringify({ id: request.headers["webhook-id"], body: JSON.parse(body) }) + "\n");
    response.end("ok");
  });
}).listen($port_hook, "127.0.0.1", () => console.log("ready"));
END
node receiver.mjs >receiver.out &
children="$children $!"
until_true 50 grep -q ready receiver.out
cat >trine.yaml <<END
project: flow
apps:
  api: { kind: service, path: ., port: 8080, health: /health }
environments:
$(environments one "$port_one" two "$port_two" three "$port_three")
checks:
  health: { app: api, path: /health, every: 1s, timeout: 900ms, down_after: 2 }
probe: { vantage: home, quorum: 2 }
traffic:
  api: { listen: "127.0.0.1:$port", weights: { one: 90, two: 10 }, backup: [three], hold: 100ms, slow_start: 0s,
         connect_within: 200ms, answer_within: 2s }
alerts:
  hook: { kind: webhook, url: "http://127.0.0.1:$port_hook/", secret: \$HOOK_SECRET, repeat: 1m }
END
backend one "$port_one" && backend two "$port_two" && backend three "$port_three"
agent() {
    TRINE_TOKEN=$token "$program" agent --server "$url" --name fra --state far >/dev/null 2>>agent.err &
    agent=$!
    children="$children $agent"
}
votes() { [ "$(standing one quorum.valid)" = 2 ]; }
# A store of its own for each victim: the hold doubles with each fall, and these would be too many.
start() { # start VICTIM
    : >received
    deploy -q
    is "$1: deployed" "$status" 0
    token=$("$program" token create fra --scope agent -q -f trine.yaml --state state)
    serve
    agent
    check "$1: all are up" until_true 200 all_up
    check "$1: two vantage points vote" until_true 200 votes
}

logged() { # logged WHERE: a row of the log since $mark
    [ "$(sqlite3 state/trine.db "SELECT count(*) FROM traffic_changes WHERE environment = 'one' AND id > $mark AND $1" 2>/dev/null)" -gt 0 ] 2>/dev/null
}
marked() { mark=$(sqlite3 state/trine.db 'SELECT coalesce(max(id), 0) FROM traffic_changes'); }

# The condition that tells of each phase; the fault is begun before all of them.
reached() { # reached PHASE
    case $1 in
    begun) : ;;
    seen) until_true 150 logged "1" ;;
    out) until_true 150 stands one out true ;;
    hold) until_true 150 stands one out true && tell USR1 one && until_true 150 logged "event = 'up' AND from_state IN ('down', 'degraded')" ;;
    esac
}
kill_trine() {
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    serve --listen "127.0.0.1:${url##*:}" # where the agent looks for it
}
kill_agent() {
    kill -9 "$agent"
    wait "$agent" 2>/dev/null
    agent
}
kill_haproxy() { kill -9 "$(cat state/traffic/haproxy.pid)"; }

resolved() { curl -fsS "$url/api/v1/incidents" | jq -e '.incidents[0].until != null'; }
told() { # told VICTIM
    is "$1: one cause, one incident" "$(curl -fsS "$url/api/v1/incidents" | jq '.incidents | length')" 1
    check "$1: and it is over" until_true 100 resolved
    check "$1: somebody was told" until_true 100 test -s received
    is "$1: nobody was told the same twice" "$(jq -r .id received | sort | uniq -d | wc -l)" 0
    check "$1: the store is whole" eval '[ "$(sqlite3 state/trine.db "PRAGMA integrity_check")" = ok ]'
}
end() {
    kill "$agent" "$pid"
    wait "$agent" "$pid"
    is "$1: serve ended well" $? 0
    haproxy_end
    rm -rf state far
}

for victim in trine haproxy agent; do
    start $victim
    for phase in begun seen out hold; do
        marked
        load "$port" 50 6 &
        loader=$!
        children="$children $loader"
        tell USR1 one
        reached $phase
        "kill_$victim"
        if [ $phase != hold ]; then
            until_true 200 stands one out true
            report $? "$victim killed, $phase: what is broken gets nothing"
            tell USR1 one
        fi
        until_true 400 eval 'all_up && curl -fs -o /dev/null "http://127.0.0.1:$port/"'
        report $? "$victim killed, $phase: mended, it is as before"
        wait "$loader"
        [ $victim = haproxy ] || is "$victim killed, $phase: users lose nothing" "$(user lost_elsewhen)" 0
    done
    told $victim
    end $victim
done
finish
