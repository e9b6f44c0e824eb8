#!/bin/sh
# A static site on a host of one's own: the user's command gets the folder and trine's file, and the site
# counts as live when it serves that file.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

command -v node >/dev/null 2>&1 || skip_all 'no node'
: >bases.json
echo '{"bases": {}}' >bases.json
: >sim.env
mkdir -p public web/dist
echo 'hello' >web/dist/index.html
cat >serve.mjs <<'END'
import { createServer } from "node:http";
import { readFile, writeFile } from "node:fs/promises";
const server = createServer(async (request, response) => {
  try {
    response.end(await readFile("public" + request.url));
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(0, "127.0.0.1", () => writeFile("port", String(server.address().port)));
END
node serve.mjs &
children="$children $!"
until_true 100 test -s port
cat >publish.sh <<END
set -e
cd '$work'
cp -a "\$TRINE_BUNDLE/." public/
mkdir -p public/.well-known
cp "\$TRINE_IDENTITY" public/.well-known/trine.json
echo '{"url": "http://127.0.0.1:$(cat port)", "state": "live"}'
END
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web }
environments:
  uat:
    branch: develop
    static: { platform: exec, deploy: "sh '$work/publish.sh'" }
END
deploy
is 'deploy ends with 0' "$status" 0
is 'it is live' "$(live)" 1
is 'the site is there' "$(curl -fsS "http://127.0.0.1:$(cat port)/index.html")" hello
echo 'sleep 0; exit 7' >publish.sh
echo 'changed' >web/dist/index.html
deploy
is 'a command that fails: exit status 3' "$status" 3
is 'and what was live is still there' "$(curl -fsS "http://127.0.0.1:$(cat port)/index.html")" hello
finish
