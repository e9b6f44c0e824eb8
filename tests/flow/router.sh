# shellcheck shell=sh disable=SC2154 # names of lib.sh
# Sourced after lib.sh by tests with a router: backends that can be broken, a manifest whose environments
# are these, trine serve with a real HAProxy in front of them.

PATH=$PATH:/usr/sbin
tools=$(dirname "$program")/tests/bench
command -v haproxy >/dev/null 2>&1 || skip_all 'no haproxy'
command -v node >/dev/null 2>&1 || skip_all 'no node'
[ -x "$tools/failover_backend" ] || skip_all 'no failover_backend'

free_ports() { # free_ports N
    node -e 'const n = +process.argv[1], net = require("net"), list = [];
        for (let i = 0; i < n; i++) list.push(net.createServer());
        Promise.all(list.map(s => new Promise(done => s.listen(0, "127.0.0.1", done)))).then(() => {
            console.log(list.map(s => s.address().port).join("\n")); list.forEach(s => s.close()); })' "$1"
}

# backend NAME PORT: on that port until the test ends; leaves its pid in $backend and in backend.NAME
backend() {
    "$tools/failover_backend" "$1" "$2" "$commit" 900 &
    backend=$!
    children="$children $backend"
    echo "$backend" >"backend.$1"
    until_true 100 curl -fs -o /dev/null "http://127.0.0.1:$2/health"
}
tell() { kill "-$1" "$(cat "backend.$2")"; } # tell SIGNAL NAME; see failover_backend.c

# environments NAME PORT...: lines for the manifest
environments() {
    while [ $# -gt 0 ]; do
        echo "  $1: { branch: main, service: { platform: exec, name: $1, deploy: 'echo \"{\\\"url\\\": \\\"http://127.0.0.1:$2\\\", \\\"state\\\": \\\"live\\\"}\"' } }"
        shift 2
    done
}

serve() { # serve [OPTION...]: leaves $url and $pid
    begin serve --listen 127.0.0.1:0 "$@"
    until_true 200 grep -q http bg.out
    url=$(head -n 1 bg.out)
    url=${url%/}
}

traffic() { curl -fsS --max-time 10 "$url/api/v1/traffic"; }
# standing ENVIRONMENT MEMBER: of the first route
standing() { traffic | jq -r --arg e "$1" ".routes[0].environments[] | select(.name == \$e) | .$2"; }
stands() { [ "$(standing "$1" "$2")" = "$3" ]; }
steers() { traffic | jq -e '.steering and .proxy.state == "running"'; }
all_up() { traffic | jq -e '.steering and .proxy.state == "running" and
    ([.routes[].environments[] | select(.state != "up")] == [])'; }
changes() { # changes FILTER: of the log, oldest first
    curl -fsS --max-time 10 "$url/api/v1/traffic/changes" | jq -r ".changes | reverse | $1"
}

haproxy_end() { # trine serve leaves it running on purpose
    haproxy_pid=$(cat "${1:-state}/traffic/haproxy.pid" 2>/dev/null) || return 0
    kill "$haproxy_pid" 2>/dev/null
    until_true 100 nothing kill -0 "$haproxy_pid" || kill -9 "$haproxy_pid"
}
end_all() {
    for pid in $children; do # serve before HAProxy, which it would start again
        kill -9 "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    children=''
    haproxy_end
    clean_up
}
trap end_all EXIT

# load PORT RATE SECONDS [FAULT_MS COMMAND MEND_MS COMMAND]: into load.json; users' view, failover_load.c
load() {
    "$tools/failover_load" "$1" "$2" "$3" "${4:-0}" "${5:-true}" "${6:-999999}" "${7:-true}" \
        "${primary:-one}" load.log >load.json
}
user() { jq -r ".$1" load.json; }
