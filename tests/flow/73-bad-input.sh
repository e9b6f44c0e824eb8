#!/bin/sh
# What answers badly, and a state that is not ours: a compressed bomb, a reply without end, a certificate of
# another name, a file of rubbish and a foreign database in the place of the store. Each is named, with its
# place; the engine goes on with the rest, in bounded memory.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

command -v node >/dev/null 2>&1 || skip_all 'no node'
command -v openssl >/dev/null 2>&1 || skip_all 'no openssl'
: >sim.env
echo '{"bases": {}}' >bases.json
mkdir -p public web/dist
echo hello >web/dist/index.html
# An authority of this test's own, trusted by trine as the system's are, and a certificate of another name.
openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj '/CN=test authority' -keyout ca.key -out ca.pem 2>/dev/null
certificate() { # certificate NAME: of that name, in site.key and site.pem
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout site.key -out site.csr 2>/dev/null
    echo "subjectAltName=DNS:$1" >names
    openssl x509 -req -in site.csr -CA ca.pem -CAkey ca.key -days 90 -extfile names -out site.pem 2>/dev/null
}
certificate localhost
export SSL_CERT_FILE="$work/ca.pem"
cat >site.mjs <<'END'
import http from "node:http";
import https from "node:https";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createGzip } from "node:zlib";
const zeros = Buffer.alloc(1 << 20);
const bomb = (response) => { // 1 GiB in about 1 MiB
  response.writeHead(200, { "content-encoding": "gzip", "content-type": "text/html" });
  const pack = createGzip({ level: 1 });
  let left = 1024;
  const more = () => { while (left-- > 0) if (!pack.write(zeros)) return void pack.once("drain", more); pack.end(); };
  pack.pipe(response);
  response.on("close", () => { left = 0; pack.destroy(); });
  more();
};
const endless = (response) => {
  const more = () => { while (!response.destroyed && response.write(zeros)); };
  response.writeHead(200, { "content-type": "text/html" });
  response.on("drain", more);
  more();
};
const pair = () => ({ key: readFileSync("site.key"), cert: readFileSync("site.pem") });
let secure;
const answer = (request, response) => {
  if (request.url === "/certificate") secure.setSecureContext(pair());
  if (request.url === "/bomb") return bomb(response);
  if (request.url === "/endless") return endless(response);
  try { response.end(readFileSync("public" + request.url)); } catch { response.writeHead(404).end(); }
};
const plain = http.createServer(answer).listen(0, "127.0.0.1", () => {
  secure = https.createServer(pair(), answer).listen(0, "127.0.0.1", () => {
    writeFileSync("up.new", `${plain.address().port} ${secure.address().port}\n`);
    renameSync("up.new", "up");
  });
});
END
node site.mjs &
children="$children $!"
until_true 100 test -s up
read -r http https <up
publish() { # publish ADDRESS: the command that puts a bundle there
    cat <<END
cp -a "\$TRINE_BUNDLE/." '$work/public/'
mkdir -p '$work/public/.well-known'
cp "\$TRINE_IDENTITY" '$work/public/.well-known/trine.json'
echo '{"url": "$1", "state": "live"}'
END
}
publish "http://127.0.0.1:$http" >plain.sh
publish "https://localhost:$https" >secure.sh
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web }
environments:
  uat: { branch: develop, static: { platform: exec, deploy: "sh '$work/plain.sh'" } }
  safe: { branch: release, static: { platform: exec, deploy: "sh '$work/secure.sh'" } }
checks:
  page: { app: web, path: /index.html, every: 1s, timeout: 900ms, down_after: 2 }
  bomb: { app: web, path: /bomb, every: 1s, timeout: 900ms, down_after: 2, environments: [uat] }
  endless: { app: web, path: /endless, every: 1s, timeout: 900ms, down_after: 2, environments: [uat] }
  name: { app: web, kind: tls, every: 1s, timeout: 900ms, down_after: 2, environments: [safe] }
END
deploy
is 'deployed' "$status" 0
begin serve --listen 127.0.0.1:0
until_true 100 grep -q http bg.out
url=$(head -n 1 bg.out)
get() { curl -fsS --max-time 10 "${url}api/v1/$1" >answer.json && jq -r "$2" answer.json; }
reason() { # reason ENVIRONMENT CHECK
    get checks ".checks[] | select(.environment == \"$1\" and .check == \"$2\") | .state + \": \" + .reason"
}
is_up() { [ "$(reason "$1" "$2")" = 'up: ' ]; }
until_true 100 is_up safe page && until_true 50 is_up safe name
report $? 'a certificate of the right name is one'
certificate elsewhere.example
curl -fsS --max-time 5 "http://127.0.0.1:$http/certificate" >/dev/null 2>&1
down() { # down ENVIRONMENT CHECK PATTERN: for this reason
    reason "$1" "$2" >said
    pattern=$3
    grep -Eq "^down: .*$pattern" said
}
while read -r environment name pattern; do
    until_true 100 down "$environment" "$name" "$pattern"
    report $? "$name of $environment is down, and it is said why"
    echo "# $(cat said)"
done <<END
uat bomb (MiB|1048576|bytes)
uat endless (MiB|1048576|bytes)
safe name elsewhere.example
safe page (certificate|elsewhere.example)
END
is 'the page beside them is up all the while' "$(reason uat page)" 'up: '
check 'none of its samples is bad' test "$(get "checks/$(get checks '.checks[] | select(.check == "page" and .environment == "uat") | .id')" \
    '[.samples[] | select(.[2] != "ok")] | length')" -eq 0
check 'in bounded memory: under 64 MiB' test "$(get prober .resident_bytes)" -lt 67108864
kill -TERM "$pid"
wait "$pid"
is 'it ends with 0' "$?" 0

# --- A store that is not ours ------------------------------------------------------------------------

# refused NAME: serve, probe and compare each name the file and leave it as it is
refused() {
    sum=$(cksum <state/trine.db)
    for command in 'serve --listen 127.0.0.1:0' 'probe --count 1' compare; do
        bound=10
        # shellcheck disable=SC2086
        t $command
        check "$1: ${command%% *} refuses" test "$status" -ne 0 -a "$status" -lt 124
        check "$1: and names the file" says state/trine.db
        sed 's/^/# /' err | head -2
    done
    is "$1: it is left as it was" "$(cksum <state/trine.db)" "$sum"
}
mv state state.ours
mkdir state
head -c 65536 /dev/urandom >state/trine.db
refused 'rubbish'
if command -v sqlite3 >/dev/null 2>&1; then
    rm -rf state
    mkdir state
    sqlite3 state/trine.db 'CREATE TABLE customers (name TEXT); INSERT INTO customers VALUES (1)'
    refused 'a foreign database'
fi
rm -rf state
mv state.ours state
t compare
check 'with its own store again it works' test "$status" -le 1
check 'and prints figures' prints uat
finish
