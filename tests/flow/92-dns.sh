#!/bin/sh
# A route that nobody proxies: its name in the DNS follows the environment that is up, at a real Knot DNS, or
# BIND (NAME_SERVER=bind, or when Knot is not there), by RFC 2136 with TSIG. What others changed is left alone until somebody accepts it; a refused key is said.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=router.sh
. "$here/router.sh"
server=${NAME_SERVER:-}
[ -n "$server" ] || { command -v knotd >/dev/null 2>&1 && server=knot; } || server=bind
[ "$server" = knot ] || command -v named >/dev/null 2>&1 || skip_all 'neither knotd nor named'
[ "$server" = bind ] || command -v knotd >/dev/null 2>&1 || skip_all 'no knotd'
command -v knsupdate >/dev/null 2>&1 || skip_all 'no knsupdate'
command -v kdig >/dev/null 2>&1 || skip_all 'no kdig'

echo '{"bases": {}}' >bases.json
echo 'DNS_KEY=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0' >sim.env
free_ports 3 >ports
{ read -r port_one && read -r port_two && read -r port_dns; } <ports
mkdir -p knot
cat >knot/zone <<'END'
$ORIGIN bench.test.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
api A 192.0.2.1
other A 192.0.2.99
END
cat >knot/conf <<END
server:
    listen: 127.0.0.1@$port_dns
    rundir: $work/knot
database:
    storage: $work/knot
log:
  - target: stderr
    any: info
key:
  - id: trine
    algorithm: hmac-sha256
    secret: c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0
acl:
  - id: update
    key: trine
    action: update
zone:
  - domain: bench.test
    file: $work/knot/zone
    acl: update
END
cat >knot/named.conf <<END
options { directory "$work/knot"; pid-file "pid"; session-keyfile "session.key";
    managed-keys-directory "$work/knot"; listen-on port $port_dns { 127.0.0.1; };
    listen-on-v6 { none; }; recursion no; dnssec-validation no; };
controls { };
key "trine" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"; };
zone "bench.test" { type primary; file "zone"; update-policy { grant trine zonesub A AAAA CNAME; }; };
END
if [ "$server" = knot ]; then
    knotd -c knot/conf >knot.log 2>&1 &
else
    named -f -c "$work/knot/named.conf" -L knot.log >/dev/null 2>&1 &
fi
children="$children $!"
answer() { kdig +short +timeout=2 @127.0.0.1 -p "$port_dns" "$1.bench.test" A 2>/dev/null | tr '\n' ' '; }
answers() { [ "$(answer api)" = "$1 " ]; }
check 'the name server answers' until_true 100 answers 192.0.2.1

look=10s
manifest() {
    cat >trine.yaml <<END
project: flow
apps:
  api: { kind: service, path: ., port: 8080, health: /health }
environments:
$(environments one "$port_one" two "$port_two")
checks:
  health: { app: api, path: /health, every: 2s, timeout: 1s }
traffic:
  api:
    weights: { one: 100 }
    backup: [two]
    host: api.bench.test
    hold: 1s
    dns:
      engine: rfc2136
      zone: bench.test
      server: 127.0.0.1:$port_dns
      key_name: trine
      key_secret: \$DNS_KEY
      look: $look
      answers: { one: 192.0.2.1, two: 192.0.2.2 }
END
}
manifest
backend one "$port_one" && backend two "$port_two"
deploy -q
is 'deployed' "$status" 0
serve
check 'both are up' until_true 200 eval 'stands one state up && stands two state up'
tell KILL one
check 'the name moves to the one that is up' until_true 200 answers 192.0.2.2
is 'no other name is touched' "$(answer other)" '192.0.2.99 '
backend one "$port_one"
check 'and back' until_true 300 answers 192.0.2.1
check 'the log tells of it' grep -q '192.0.2.2' bg.err

# --- Others changed it -------------------------------------------------------------------------------

knsupdate >update.log 2>&1 <<END
server 127.0.0.1 $port_dns
zone bench.test.
key hmac-sha256:trine c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0
update delete api.bench.test. A
update add api.bench.test. 60 A 192.0.2.77
send
quit
END
check 'somebody else changed it' until_true 50 answers 192.0.2.77
check 'that is seen though nothing moves' until_true 300 grep -q 'changed by others' bg.err
check 'and once' [ "$(grep -c 'changed by others' bg.err)" = 1 ]
look=15s
manifest
kill -HUP "$pid" # a changed manifest goes on with what is known
tell KILL one
check 'it is not moved then' until_true 200 eval 'stands one state down'
is 'what they wrote stays' "$(answer api)" '192.0.2.77 '
said_in_status() {
    t traffic status
    prints "changed by others"
}
check 'and the status says so' until_true 50 said_in_status
t traffic accept-dns
is 'accepting it' "$status" 0
check 'lets it move again' until_true 200 answers 192.0.2.2
kill -9 "$pid"
wait "$pid" 2>/dev/null

# --- A key that the server refuses -------------------------------------------------------------------

echo 'DNS_KEY=d3JvbmdzZWNyZXR3cm9uZ3NlY3JldHdyb25n' >sim.env
backend one "$port_one"
serve
check 'a wrong key is said' until_true 300 grep -qi 'BADSIG\|BADKEY\|refused' bg.err
is 'and nothing was changed' "$(answer api)" '192.0.2.2 '
check 'no secret was said' nothing grep -rq 'd3JvbmdzZWNyZXR3cm9uZ3NlY3JldHdyb25n\|c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0' bg.err bg.out state
finish
