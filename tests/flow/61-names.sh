#!/bin/sh
# A name whose look-up hangs, because no DNS server answers: what is dropped at its deadline holds up nothing
# else. In a mount namespace with a resolv.conf of its own, that names a server which is silent.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

command -v node >/dev/null 2>&1 || skip_all 'no node'
unshare -m true 2>/dev/null || skip_all 'this machine lets nobody make mount namespaces'

cat >sim.env <<'END_OF_SECRETS'
NETLIFY_AUTH_TOKEN=sim-netlify-canary7f3a1
END_OF_SECRETS
start_sim
site web/dist
cat >silent.mjs <<'END_OF_SERVER'
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
let asked = 0;
const socket = createSocket("udp4", () => writeFileSync("asked", String(++asked)));
socket.bind(53, "127.0.0.63", () => writeFileSync("up", "yes"));
END_OF_SERVER
node silent.mjs 2>silent.log &
children="$children $!"
until_true 100 test -s up || skip_all 'this machine lets nobody serve DNS'
echo 'nameserver 127.0.0.63' >resolv.conf
cat >trine.yaml <<END_OF_MANIFEST
project: flow
apps:
  web: { kind: static, path: web }
environments:
  near: { branch: develop, static: $(binding netlify) }
checks:
  home: { app: web, path: /, every: 1s, timeout: 900ms }
probe: { control: ['http://nobody.example.net/', 'http://nobody.example.org/'] }
END_OF_MANIFEST
deploy
is 'a site is deployed' "$status" 0
cat >alone.sh <<END_OF_SCRIPT
mount --bind '$work/resolv.conf' /etc/resolv.conf &&
    exec "\$@"
END_OF_SCRIPT
bound=60
timeout -k 5 60 unshare -m sh alone.sh "$program" probe --for 12s --json -f trine.yaml --state state \
    --bases bases.json --env-file sim.env >out 2>err
status=$?
is 'it is measured' "$status" 0
check 'the silent server was asked' test -s asked
check 'no request had to wait for a look-up' jq -e '.lateness_ms.n >= 10 and .lateness_ms.max < 2000' out
finish
