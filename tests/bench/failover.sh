# shellcheck shell=sh disable=SC2154 # names of lib.sh
# Failover as users see it: 1,000 GETs a second through a router onto three backends (90 %, 10 %, backup),
# while the first is killed, hangs, answers 503, answers 2 s late, or is grey (its health is fine, all else
# fails). Peers: nginx with plain upstream lines, HAProxy with a check a second, HAProxy tuned hard (five
# checks a second, observe layer7, retries, redispatch). The same load, the same faults, one after another.
# TRINE_BENCH_REPEAT=N: medians of N runs.

failover_at=3000 failover_mend=11000 failover_seconds=16 failover_rate=1000
failover_faults='kill hang 503 slow grey'

# failover_backend NAME PORT: sets failover_pid
failover_backend() {
    build/tests/bench/failover_backend "$1" "$2" "$commit" 600 &
    failover_pid=$!
    until curl -fs -o /dev/null "http://127.0.0.1:$2/health"; do sleep 0.02; done
}

# failover_faulty FAULT: sets failover_begin and failover_end, commands that break and mend A
failover_faulty() {
    case $1 in
    kill)
        failover_begin="kill -9 $failover_a"
        failover_end="build/tests/bench/failover_backend A $failover_port_a $commit 600 >/dev/null 2>&1 & echo \$! >$work/again"
        ;;
    hang) failover_begin="kill -STOP $failover_a" failover_end="kill -CONT $failover_a" ;;
    503) failover_begin="kill -USR1 $failover_a" failover_end=$failover_begin ;;
    slow) failover_begin="kill -USR2 $failover_a" failover_end=$failover_begin ;;
    grey) failover_begin="kill -HUP $failover_a" failover_end=$failover_begin ;;
    esac
}

failover_nginx() {
    mkdir -p "$work/failover.nginx"
    cat >"$work/failover.nginx/nginx.conf" <<END
$([ "$(id -u)" -ne 0 ] || echo 'user root;')
worker_processes auto;
worker_rlimit_nofile 20000;
pid $work/failover.nginx/pid;
error_log $work/failover.nginx/error.log;
events { worker_connections 16000; }
http {
    access_log off;
    client_body_temp_path $work/failover.nginx/b; proxy_temp_path $work/failover.nginx/p;
    fastcgi_temp_path $work/failover.nginx/f; uwsgi_temp_path $work/failover.nginx/u;
    scgi_temp_path $work/failover.nginx/s;
    upstream api {
        server 127.0.0.1:$failover_port_a weight=90;
        server 127.0.0.1:$failover_port_b weight=10;
        server 127.0.0.1:$failover_port_c backup;
    }
    server { listen 127.0.0.1:$failover_port backlog=4096; location / { proxy_pass http://api; } }
}
END
    nginx -p "$work/failover.nginx" -c "$work/failover.nginx/nginx.conf" -g 'daemon off;' \
        2>"$work/failover.nginx/err" &
    failover_proxy=$!
}

# failover_haproxy DEFAULTS BACKEND SERVER: lines of the sections, options of each server
failover_haproxy() {
    cat >"$work/failover.cfg" <<END
global
    maxconn 9000
defaults
    mode http
    $1
frontend api
    bind 127.0.0.1:$failover_port
    default_backend api
backend api
    option httpchk GET /health
    http-check expect status 200
    $2
    server A 127.0.0.1:$failover_port_a weight 90 $3
    server B 127.0.0.1:$failover_port_b weight 10 $3
    server C 127.0.0.1:$failover_port_c backup $3
END
    haproxy -db -f "$work/failover.cfg" >"$work/failover.log" 2>&1 &
    failover_proxy=$!
}

# The manifest's answer limit is that of the hard-tuned peer: what a team takes from its own p99.
failover_manifest() {
    cat >"$work/failover.yaml" <<END
project: bench
apps:
  api: { kind: service, path: ., port: 8080, health: /health }
environments:
$(for e in a b c; do
        eval "port=\$failover_port_$e"
        echo "  $e: { branch: main, service: { platform: exec, name: $e, deploy: 'echo \"{\\\"url\\\": \\\"http://127.0.0.1:$port\\\", \\\"state\\\": \\\"live\\\"}\"' } }"
    done)
checks:
  health: { app: api, path: /health, every: 10s, timeout: 1500ms }
traffic:
  api:
    app: api
    weights: { a: 90, b: 10 }
    backup: [c]
    listen: 127.0.0.1:$failover_port
    connect_within: 100ms
    answer_within: 300ms
    hold: 1s
    slow_start: 0s
END
}

failover_trine() {
    rm -rf "$work/failover.state"
    failover_manifest
    (cd "$work" && "$root/build/trine" deploy -q --commit "$commit" -f failover.yaml --state failover.state) \
        >"$work/failover.deploy" 2>&1 || { cat "$work/failover.deploy" >&2; return 1; }
    (cd "$work" && exec "$root/build/trine" serve -f failover.yaml --state failover.state --listen 127.0.0.1:0) \
        >"$work/failover.out" 2>"$work/failover.log" &
    failover_proxy=$!
    # Ready once every environment was seen to be up.
    failover_wait=0
    until (cd "$work" && "$root/build/trine" traffic status --json -f failover.yaml --state failover.state) \
        2>/dev/null | jq -e '.proxy.state == "running" and ([.routes[].environments[] | select(.state != "up")] == [])' \
        >/dev/null; do
        failover_wait=$((failover_wait + 1))
        [ $failover_wait -lt 300 ] || { say 'trine did not get ready:' "$(cat "$work/failover.log")"; return 1; }
        sleep 0.1
    done
}

failover_proxy_begin() {
    plain='timeout connect 5s
    timeout client 50s
    timeout server 50s'
    hard='timeout connect 100ms
    timeout client 10s
    timeout server 300ms
    timeout check 100ms
    retries 2'
    case $1 in
    nginx) failover_nginx ;;
    haproxy) failover_haproxy "$plain" '' 'check inter 1s fall 3' ;;
    haproxy-hard)
        failover_haproxy "$hard" 'option redispatch 1
    retry-on all-retryable-errors' \
            'check inter 200ms fastinter 50ms fall 2 observe layer7 error-limit 3 on-error mark-down'
        ;;
    trine) failover_trine ;;
    esac
    until curl -s -o /dev/null "http://127.0.0.1:$failover_port/"; do sleep 0.05; done
    sleep 1 # peers have no way to ask whether their first checks are through
}

failover_proxy_end() {
    kill "$failover_proxy" 2>/dev/null || true
    wait "$failover_proxy" 2>/dev/null || true
    [ "$1" != trine ] || failover_stop_haproxy
}

# trine serve leaves HAProxy running on purpose.
failover_stop_haproxy() {
    pid=$(cat "$work/failover.state/traffic/haproxy.pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
}

failover_backends() {
    failover_port=$(free_port) failover_port_a=$(free_port)
    failover_port_b=$(free_port) failover_port_c=$(free_port)
    failover_backend B "$failover_port_b" && failover_b=$failover_pid
    failover_backend C "$failover_port_c" && failover_c=$failover_pid
    failover_backend A "$failover_port_a" && failover_a=$failover_pid
}

failover_backends_end() {
    kill -CONT "$failover_a" 2>/dev/null || true
    kill -9 "$failover_a" "$failover_b" "$failover_c" "$(cat "$work/again" 2>/dev/null)" 2>/dev/null || true
    wait "$failover_a" "$failover_b" "$failover_c" 2>/dev/null || true
    rm -f "$work/again"
}

# failover_run PROXY FAULT: one line of JSON into $work/failover.rows
failover_run() {
    failover_backends
    failover_faulty "$2"
    if failover_proxy_begin "$1"; then
        (
            # shellcheck disable=SC3045 # every sh of Debian has it
            ulimit -n 20000
            build/tests/bench/failover_load "$failover_port" "$failover_rate" "$failover_seconds" \
                "$failover_at" "$failover_begin" "$failover_mend" "$failover_end" A \
                "$work/failover.$1.$2.log"
        ) | jq -c --arg proxy "$1" --arg fault "$2" '{$proxy, $fault} + .' |
            tee -a "$work/failover.rows" >&2
        failover_proxy_end "$1"
    fi
    failover_backends_end
}

# failover_figure PROXY FAULT MEMBER: the median over the runs
failover_figure() {
    jq -s --arg proxy "$1" --arg fault "$2" --arg member "$3" '
        map(select(.proxy == $proxy and .fault == $fault) | .[$member]) | sort | .[length / 2 | floor]' \
        "$work/failover.rows"
}

failover_table() {
    jq -rs 'def show: if . == -1 then "never" else tostring end;
        ["fault", "router", "lost", "over 250 ms", "clear ms", "return ms", "lost elsewhen"],
        (.[] | [.fault, .proxy, .lost, .slow, (.clear_ms | show), (.return_ms | show), .lost_elsewhen]) |
        @tsv' "$work/failover.rows" | column -t -s "$(printf '\t')" >&2
}

# --- Little traffic, or none -------------------------------------------------------------------------

failover_changes() { # failover_changes QUERY
    sqlite3 "$work/failover.state/trine.db" "$1"
}

# failover_detect FAULT: milliseconds from the fault until the log has A down or taken out; 99999: not in 20 s
failover_detect() {
    failover_faulty "$1"
    sleep "$((failover_phase % 4)).$((failover_phase * 7 % 10))" # another phase against the checks each time
    failover_phase=$((failover_phase + 3))
    at=$(date +%s%6N)
    sh -c "$failover_begin"
    waited=0 found=''
    while [ -z "$found" ] && [ $waited -lt 200 ]; do
        found=$(failover_changes "SELECT min(decided_us) FROM traffic_changes WHERE environment = 'a' AND
            decided_us > $at AND (to_state = 'down' OR action LIKE '%take-out%')")
        waited=$((waited + 1))
        sleep 0.1
    done
    sh -c "$failover_end"
    [ ! -f "$work/again" ] || failover_a=$(cat "$work/again")
    rm -f "$work/again"
    until_up=0
    until [ "$(curl -s -m 1 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$failover_port_a/x")" = 200 ] &&
        failover_stands_up || [ $until_up -gt 600 ]; do
        until_up=$((until_up + 1))
        sleep 0.1
    done
    [ -n "$found" ] && echo $(((found - at) / 1000)) || echo 99999
}

failover_stands_up() {
    (cd "$work" && "$root/build/trine" traffic status --json -f failover.yaml --state failover.state) \
        2>/dev/null | jq -e '[.routes[].environments[] | select(.state != "up")] == []' >/dev/null
}

# failover_quiet NAME RATE: detection at so little traffic, the slowest of three a fault. Each fault meets a
# router of its own: one that fell often is held out for longer.
failover_quiet() {
    failover_phase=1
    for fault in kill 503 hang; do
        bound='< 5000'
        [ $fault != hang ] || bound='< 8000'
        : >"$work/detect"
        failover_backends
        failover_proxy_begin trine
        failover_ready=$(date +%s%6N)
        failover_ask "$2"
        for n in 1 2 3; do failover_detect $fault >>"$work/detect"; done
        say "detected after ms, $1, $fault: $(tr '\n' ' ' <"$work/detect")"
        row "failover-$1-$fault" ms "$(sort -n "$work/detect" | tail -n 1)" null '' "$bound"
        failover_decisions >>"$work/decisions.$1"
        [ -z "$asker" ] || kill "$asker"
        failover_proxy_end trine
        failover_backends_end
    done
    row "failover-decide-$1" ms "$(sort -n "$work/decisions.$1" | tail -n 1)" null '' '< 50'
}

# failover_ask RATE: one request after another, or none; sets asker
failover_ask() {
    asker=''
    [ "$1" -gt 0 ] || return 0
    (while :; do
        curl -s -m 9 -o /dev/null "http://127.0.0.1:$failover_port/api" &
        sleep 1
    done) &
    asker=$!
}

# From evidence to the runtime socket's confirmation, the slowest of all decisions that steered since the
# router was ready (at the start there is no socket yet: HAProxy takes a tenth of a second to come up).
failover_decisions() {
    failover_changes "SELECT coalesce(max(applied_us - seen_us), 99999000) / 1000.0 FROM traffic_changes
        WHERE applied_us > 0 AND seen_us > $failover_ready"
}

# --- What it costs ------------------------------------------------------------------------------------

# Of the first team's manifest: share of each free allowance, beside the same checks every 200 ms.
failover_cost() {
    build/trine plan -f examples/weedgo/trine.yaml --env-file examples/weedgo/sim.env --json \
        --state "$work/cost" 2>/dev/null >"$work/cost.json" || true
    for platform in koyeb render railway; do
        for member in share tuned_share; do
            jq --arg p $platform --arg m $member '[.checking[] | select(.route != null and .platform == $p) |
                if .unlimited then 0 else .[$m] end] | max * 100' "$work/cost.json" >"$work/cost.$member"
        done
        row "failover-cost-$platform" '%' "$(cat "$work/cost.share")" "$(cat "$work/cost.tuned_share")" \
            'every 200 ms' '< 10'
    done
}

# --- A standby that sleeps ----------------------------------------------------------------------------

# The first team's route, 90 % and 10 % with a backup that its platform has put to sleep (a cold start takes
# 2 s). The first environment fails; eight seconds later the second does too, and the standby gets its first
# client. Ten rounds: in how many is it awake by then?
failover_standby() {
    # At this rate a free service of Render sleeps after 3 s without a request.
    cat >"$work/latency.json" <<END
{"seed": 7, "hosts": [
    {"host": "*.onrender.localhost", "median_ms": 20, "p95_ms": 30, "cold_ms": 2000},
    {"host": "*.localhost", "median_ms": 20, "p95_ms": 30}]}
END
    simulator_start --latency "$work/latency.json" --clock-rate 300
    failover_port=$(free_port)
    mkdir -p "$work/api"
    cat >"$work/standby.yaml" <<END
project: bench
apps:
  api: { kind: service, path: api, port: 8080, health: /health }
environments:
  uat: { branch: main, service: { platform: railway, token: \$RAILWAY_TOKEN, project: uat, plan: hobby, repository: github.com/weedgo/weedgo, dockerfile: Dockerfile } }
  beta: { branch: main, service: { platform: railway, token: \$RAILWAY_TOKEN, project: beta, plan: hobby, repository: github.com/weedgo/weedgo, dockerfile: Dockerfile } }
  preprod: { branch: main, service: { platform: render, token: \$RENDER_API_KEY, region: oregon, plan: free, repository: github.com/weedgo/weedgo, dockerfile: Dockerfile } }
checks:
  health: { app: api, path: /health, every: 1h, timeout: 5s, wake: never }
traffic:
  api: { app: api, weights: { uat: 90, beta: 10 }, backup: [preprod], listen: 127.0.0.1:$failover_port, hold: 1s, slow_start: 0s }
END
    awake=0
    if (standby_trine deploy -q --commit "$commit") >"$work/standby.deploy" 2>&1; then
        for n in 1 2 3 4 5 6 7 8 9 10; do failover_standby_round && awake=$((awake + 1)); done
    else
        cat "$work/standby.deploy" >&2
    fi
    say "the standby was awake before its first client in $awake of 10 rounds"
    row failover-standby-awake 'of 10' "$awake" null '' '> 8'
    simulator_stop
}

standby_trine() { # command [arguments...]: takes the place of the subshell that it is called in
    cd "$work" && exec "$root/build/trine" "$@" -f standby.yaml --state standby.state --bases bases.json \
        --env-file "$root/examples/weedgo/sim.env"
}

standby_host() {
    (standby_trine status --json -q) | jq -r --arg e "$1" \
        '.environments[] | select(.name == $e) | .deployments[0].url' | sed 's|^http://||; s|[:/].*||'
}
standby_rules() { curl -fsS -d "$1" "$(jq -r .control "$work/bases.json")/faults" >/dev/null; }
standby_shows() {
    (standby_trine traffic status --json) 2>/dev/null | jq -e "$1" >/dev/null
}

failover_standby_round() {
    standby_rules '[]'
    (standby_trine serve --listen 127.0.0.1:0) >"$work/standby.out" 2>"$work/standby.log" &
    failover_proxy=$!
    curl -fsS -d "{\"host\": \"$(standby_host preprod)\"}" "$(jq -r .control "$work/bases.json")/sleep" >/dev/null
    tries=0
    until standby_shows '.proxy.state == "running" and
        ([.routes[].environments[] | select(.name != "preprod" and .state != "up")] == []) and
        ([.routes[].environments[] | select(.name == "preprod" and .state == "asleep")] != [])'; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || { say 'the standby does not sleep:' "$(tail -n 3 "$work/standby.log")"; break; }
        sleep 0.1
    done
    standby_rules "[{\"host\": \"$(standby_host uat)\", \"status\": 503}]"
    for _ in $(seq 40); do curl -s -m 9 -o /dev/null "http://127.0.0.1:$failover_port/health"; sleep 0.2; done
    standby_rules "[{\"host\": \"$(standby_host uat)\", \"status\": 503}, {\"host\": \"$(standby_host beta)\", \"status\": 503}]"
    first=$(for _ in $(seq 20); do
        curl -s -m 9 -o /dev/null -w '%{http_code} %header{x-served-by} %{time_total}\n' "http://127.0.0.1:$failover_port/health"
        sleep 0.1
    done | grep -m 1 ' preprod ')
    kill "$failover_proxy"
    wait "$failover_proxy" 2>/dev/null || true
    kill "$(cat "$work/standby.state/traffic/haproxy.pid")" 2>/dev/null || true
    sqlite3 "$work/standby.state/trine.db" 'DELETE FROM traffic_states' # no hold of one round in the next
    [ "$(echo "$first" | awk '{ print ($1 == 200 && $3 < 1) }')" = 1 ]
}

# --- trine killed, HAProxy reloaded -------------------------------------------------------------------

failover_serve_again() {
    (cd "$work" && exec "$root/build/trine" serve -f failover.yaml --state failover.state --listen 127.0.0.1:0) \
        >>"$work/failover.out" 2>>"$work/failover.log" &
    failover_proxy=$!
}
failover_worker() { pgrep -P "$(cat "$work/failover.state/traffic/haproxy.pid")" | sort | tail -n 1; }

# failover_survive NAME FUNCTION: what users lose at full rate over 8 s, while something happens to the router itself
failover_survive() {
    (
        # shellcheck disable=SC3045 # every sh of Debian has it
        ulimit -n 20000
        exec build/tests/bench/failover_load "$failover_port" "$failover_rate" 8 2000 true 7000 true A \
            "$work/failover.$1.log"
    ) >"$work/survive" &
    load=$!
    sleep 2
    happened=true
    "failover_$2" || happened=false
    wait "$load"
    row "failover-$1-lost" requests "$(jq "if $happened then .lost + .lost_elsewhen else null end" "$work/survive")" \
        null '' '= 0'
    row "failover-$1-slow" requests "$(jq "if $happened then .slow + .slow_elsewhen else null end" "$work/survive")" \
        null '' ''
}
failover_trine_killed() {
    kill -9 "$failover_proxy"
    wait "$failover_proxy" 2>/dev/null || true
    sleep 1 # some time without it
    failover_serve_again
}
failover_haproxy_reloaded() {
    worker=$(failover_worker)
    sed -i 's/connect_within: 100ms/connect_within: 120ms/' "$work/failover.yaml"
    kill -HUP "$failover_proxy"
    tries=0
    until [ "$(failover_worker)" != "$worker" ]; do
        tries=$((tries + 1))
        [ $tries -lt 40 ] || { say 'HAProxy was not reloaded'; return 1; }
        sleep 0.1
    done
}
failover_survives() {
    failover_backends
    failover_proxy_begin trine
    failover_survive trine-killed trine_killed
    failover_survive haproxy-reloaded haproxy_reloaded
    failover_proxy_end trine
    failover_backends_end
}

# --- The path -----------------------------------------------------------------------------------------

# The same HAProxy with the same configuration, with trine steering it and with trine stopped: in turns, since
# a p99 of a few seconds is noise. The medians of seven each.
failover_path() {
    failover_backends
    failover_proxy_begin trine
    : >"$work/path.with"
    : >"$work/path.without"
    for n in 1 2 3 4 5 6 7; do
        failover_wrk >>"$work/path.with"
        kill -STOP "$failover_proxy"
        failover_wrk >>"$work/path.without"
        kill -CONT "$failover_proxy"
    done
    row failover-path-rate requests/s "$(failover_median rate "$work/path.with")" \
        "$(failover_median rate "$work/path.without")" 'without trine' ''
    for figure in p50 p99; do
        row failover-path-$figure ms "$(failover_median $figure "$work/path.with")" \
            "$(failover_median $figure "$work/path.without")" 'without trine' 'at least 0.8'
    done
    failover_proxy_end trine
    failover_backends_end
}

failover_wrk() {
    wrk -t1 -c16 -d3s --latency "http://127.0.0.1:$failover_port/api" | awk '
        function ms(v) { return v ~ /us$/ ? v / 1000 : v ~ /ms$/ ? v + 0 : v * 1000 }
        $1 == "50%" { p50 = ms($2) }
        $1 == "99%" { p99 = ms($2) }
        /Requests\/sec/ { rate = $2 }
        END { printf "{\"rate\": %s, \"p50\": %s, \"p99\": %s}\n", rate, p50, p99 }'
}
failover_median() { jq -s --arg m "$1" 'map(.[$m]) | sort | .[length / 2 | floor]' "$2"; }

# ------------------------------------------------------------------------------------------------------

# Lost, slow, clear and return of each fault, beside the peers.
failover_faults() {
    : >"$work/failover.rows"
    for fault in $failover_faults; do
        for proxy in nginx haproxy haproxy-hard trine; do
            n=0
            while [ $n -lt "${TRINE_BENCH_REPEAT:-1}" ]; do
                failover_run "$proxy" "$fault"
                n=$((n + 1))
            done
        done
        hard=$(failover_figure haproxy-hard "$fault" slow)
        most=$hard
        case $fault in hang | slow) [ "$hard" -gt 304 ] || most=304 ;; esac
        row "failover-$fault-lost" requests "$(failover_figure trine "$fault" lost)" \
            "$(failover_figure haproxy "$fault" lost)" haproxy '= 0'
        row "failover-$fault-slow" requests "$(failover_figure trine "$fault" slow)" "$hard" haproxy-hard \
            "< $((most + 1))"
        row "failover-$fault-clear" ms "$(failover_figure trine "$fault" clear_ms | sed s/^-1$/99999/)" \
            "$(failover_figure haproxy-hard "$fault" clear_ms)" haproxy-hard '< 501'
        row "failover-$fault-return-lost" requests "$(failover_figure trine "$fault" lost_elsewhen)" \
            "$(failover_figure haproxy-hard "$fault" lost_elsewhen)" haproxy-hard '= 0'
    done
    failover_table
}

# bench_failover_part NAME: one of script/bench's
bench_failover_part() {
    need_packages nginx-light haproxy sqlite3 wrk
    PATH=$PATH:/usr/sbin
    case $1 in
    quiet) failover_quiet one-a-second 1 && failover_quiet no-traffic 0 ;;
    *) "failover_$1" ;;
    esac
}

bench_failover() {
    for part in faults quiet survives standby path cost; do bench_failover_part $part; done
}
