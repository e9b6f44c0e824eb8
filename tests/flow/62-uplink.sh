#!/bin/sh
# The prober's own uplink is cut: no false outage, uptime as it was, one notice. Two network namespaces
# joined by a cable: trine in one, what it measures and its control target in the other. TRINE_CUT says for
# how many seconds (default 15; the acceptance run is 600).
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

cut=${TRINE_CUT:-15}
command -v node >/dev/null 2>&1 || skip_all 'no node'
command -v ip >/dev/null 2>&1 || skip_all 'no ip (package iproute2)'
observer=trine-o$$ world=trine-w$$
drop_namespaces() {
    clean_up
    ip netns del "$observer" 2>/dev/null
    ip netns del "$world" 2>/dev/null
}
trap drop_namespaces EXIT
if ! { ip netns add "$observer" && ip netns add "$world" &&
    ip link add cable netns "$observer" type veth peer name cable netns "$world" &&
    ip -n "$observer" addr add 10.77.0.2/24 dev cable; } 2>/dev/null; then
    skip_all 'this machine lets nobody make network namespaces'
fi
ip -n "$world" addr add 10.77.0.1/24 dev cable
for name in "$observer" "$world"; do
    ip -n "$name" link set lo up
    ip -n "$name" link set cable up
done
here() { nsenter --net="/run/netns/$observer" "$@"; }

echo '{"bases": {}}' >bases.json
: >sim.env
mkdir -p public web/dist
echo 'hello' >web/dist/index.html
cat >site.mjs <<'END'
import { createServer } from "node:http";
import { readFile, writeFile } from "node:fs/promises";
const server = createServer(async (request, response) => {
  try {
    response.end(await readFile("public" + request.url));
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(8000, "10.77.0.1", () => writeFile("up", "yes"));
END
nsenter --net="/run/netns/$world" node site.mjs &
children="$children $!"
until_true 100 test -s up
cat >publish.sh <<END
cp -a "\$TRINE_BUNDLE/." '$work/public/'
mkdir -p '$work/public/.well-known'
cp "\$TRINE_IDENTITY" '$work/public/.well-known/trine.json'
echo '{"url": "http://10.77.0.1:8000", "state": "live"}'
END
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web }
environments:
  uat:
    branch: develop
    static: { platform: exec, deploy: "sh '$work/publish.sh'" }
checks:
  page: { app: web, path: /index.html, every: 1s, timeout: 900ms, down_after: 2 }
probe:
  control: ["http://10.77.0.1:8000/index.html"]
END
here "$program" deploy --commit "$commit" -f trine.yaml --state state --bases bases.json >out 2>err
status=$?
is 'the site is live' "$status" 0

nsenter --net="/run/netns/$observer" "$program" serve --listen 127.0.0.1:7467 -f trine.yaml --state state --bases bases.json \
    >serve.out 2>serve.err &
serve=$!
children="$children $serve"
api() { # api PATH FILTER: of what the daemon answers
    here curl -fsS --max-time 5 "http://127.0.0.1:7467/api/v1/$1" >answer.json && jq -r "$2" answer.json
}
state() { api checks '.checks[0].state'; }
is_state() { [ "$(state)" = "$1" ]; }
blind() { api prober .blind; }
is_blind() { [ "$(blind)" = "$1" ]; }
check 'it measures' until_true 150 is_state up

ip -n "$world" link set cable down
check 'cut off, it knows that it is blind' until_true 200 is_blind true
left=$cut
while [ "$left" -gt 0 ]; do # the cut lasts as long as it was asked for: this is what is tested
    sleep 1
    left=$((left - 1))
done
is 'the target is not called down meanwhile' "$(api checks '.checks[0].state')" inconclusive
is 'one outage is open, of the prober itself' \
    "$(api 'outages?from=1h' '[.outages[] | .kind + " " + (.until // "open")] | join(", ")')" \
    'blind open'
ip -n "$world" link set cable up
check 'mended, it sees again' until_true 300 is_blind false
check 'and the target is up' until_true 100 is_state up

outages() { api 'outages?from=1h' '[.outages[] | .kind + (if .until then " over" else " open" end)] | join(", ")'; }
are() { [ "$(outages)" = "$1" ]; }
check 'no outage of the target, one of the prober, which is over' until_true 50 are 'blind over'
id=$(api checks '.checks[0].id')
is 'uptime is whole' "$(api "checks/$id?from=1h" '.figures.uptime.value')" 1
is 'no probe counts as failed' "$(api "checks/$id?from=1h" '[.cells[].failed] | add')" 0
check 'the time of the cut is inconclusive' \
    test "$(api "checks/$id?from=1h" '[.cells[].inconclusive] | add')" -ge $((cut / 2))
is 'one notice was given, and one that it is over' "$(grep -c -e '^blind:' -e 'answer again' serve.err)" 2
kill "$serve"
wait "$serve"
is 'the daemon ends with 0' "$?" 0
finish
