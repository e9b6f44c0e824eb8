# shellcheck shell=sh disable=SC2154 # names of lib.sh
# trine serve with 150 checks every 10 s and 30 days of history: its memory, its share of one core while
# nobody looks, and how long its API takes with 20 viewers, each of whom asks about ten times a second (wrk).

daemon_seconds=${TRINE_BENCH_SECONDS:-30}

daemon_manifest() {
    mkdir -p "$1/web/dist"
    printf '<!doctype html><title>bench</title>\n' >"$1/web/dist/index.html"
    {
        printf 'project: bench\napps:\n'
        echo '  web: { kind: static, path: web, instances: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] }'
        echo 'environments:'
        echo "  uat: { branch: develop, static: { platform: cloudflare-pages, account: \$CLOUDFLARE_ACCOUNT_ID," \
            "token: \$CLOUDFLARE_API_TOKEN } }"
        echo "  beta: { branch: release, static: { platform: vercel, token: \$VERCEL_TOKEN, team: \$VERCEL_ORG_ID } }"
        echo 'checks:'
        for check in one two three four five; do
            echo "  $check: { app: web, path: /, every: 10s }"
        done
    } >"$1/trine.yaml"
}

daemon_trine() {
    daemon_command=$1
    shift
    build/trine "$daemon_command" "$@" -f "$work/daemon/trine.yaml" --state "$work/daemon/state" \
        --bases "$work/bases.json" --env-file examples/weedgo/sim.env
}

daemon_cpu() { awk '{ print $14 + $15 }' "/proc/$daemon_pid/stat"; }
daemon_mib() { awk -v key="^$1" '$0 ~ key { printf "%.1f", $2 / 1024 }' "/proc/$daemon_pid/status"; }

# daemon_p99 PATH: milliseconds, 20 viewers
daemon_p99() {
    echo 'function delay() return math.random(50, 150) end' >"$work/viewer.lua"
    wrk -t 1 -c 20 -d 10s --latency -s "$work/viewer.lua" "$daemon_url$1" | awk '$1 == "99%" {
        v = $2 + 0
        print $2 ~ /us$/ ? v / 1000 : $2 ~ /ms$/ ? v : v * 1000 }'
}

# First visits to the overview in Chromium, with an empty cache.
daemon_paint() { node tests/web/paint.mjs "$daemon_url"; }

bench_daemon() {
    need_packages wrk chromium
    need_modules tests/web
    simulator_start
    daemon_manifest "$work/daemon"
    daemon_trine deploy -q --commit "$commit"
    # One tick makes the series, to which the history is given.
    daemon_trine probe -q --count 1 --every 1s >/dev/null
    build/tests/bench/make_history "$work/daemon/state" 30 30
    build/trine serve --listen 127.0.0.1:0 -f "$work/daemon/trine.yaml" --state "$work/daemon/state" \
        --bases "$work/bases.json" --env-file examples/weedgo/sim.env >"$work/daemon/out" 2>"$work/daemon/err" &
    daemon_pid=$!
    until grep -qs http "$work/daemon/out"; do
        kill -0 "$daemon_pid" || { say "$(cat "$work/daemon/err")" && return 1; }
        sleep 0.05
    done
    daemon_url=$(head -n 1 "$work/daemon/out")
    sleep 15 # the beginning is over: every check was asked, the history is rolled up
    daemon_before=$(daemon_cpu)
    sleep "$daemon_seconds"
    daemon_share=$(awk -v a="$daemon_before" -v b="$(daemon_cpu)" -v s="$daemon_seconds" \
        -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f", 100 * (b - a) / hz / s }')
    daemon_alone=$(daemon_mib VmRSS)
    daemon_overview=$(daemon_p99 api/v1/overview)
    daemon_checks=$(daemon_p99 api/v1/checks)
    daemon_first=$(curl -fsS -o /dev/null -w '%{time_total}' "${daemon_url}api/v1/checks/1" | awk '{ print 1000 * $1 }')
    daemon_one=$(daemon_p99 api/v1/checks/1)
    daemon_viewed=$(daemon_mib VmRSS)
    daemon_paint >"$work/daemon/paint" || echo null >"$work/daemon/paint"
    kill "$daemon_pid"
    wait "$daemon_pid"
    simulator_stop
    row daemon-cpu-share % "$daemon_share" null '' '< 1'
    row daemon-memory MiB "$daemon_alone" null '' '< 30'
    row daemon-memory-viewed MiB "$daemon_viewed" null '' ''
    row api-overview-p99 ms "$daemon_overview" null '' '< 10'
    row api-checks-p99 ms "$daemon_checks" null '' '< 10'
    row api-one-check-first ms "$daemon_first" null '' ''
    row api-one-check-p99 ms "$daemon_one" null '' '< 10'
    row dashboard-first-paint ms "$(jq '.paint_ms?' "$work/daemon/paint")" null '' '< 500'
    row dashboard-figures-seen ms "$(jq '.useful_ms?' "$work/daemon/paint")" null '' '< 500'
}
