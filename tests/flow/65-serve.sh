#!/bin/sh
# The daemon: live samples and events, outages that outlive a kill, tokens, refusals, what is deployed
# meanwhile, a manifest that changes, no secret in any answer.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

cat >sim.env <<'END'
NETLIFY_AUTH_TOKEN=sim-netlify-canary7f3a1
VERCEL_TOKEN=sim-vercel-canary7f3a2
VERCEL_ORG_ID=team_simulated0001
DATABASE_URL=postgres://weedgo:canary7f3a3@127.0.0.1:1/shop
CACHE_URL=redis://:canary7f3a4@127.0.0.1:1
END
start_sim
site web/dist
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web }
environments:
  near:
    branch: develop
    static: $(binding netlify)
    database: { platform: railway, url: \$DATABASE_URL }
    cache: { platform: render, url: \$CACHE_URL }
  far: { branch: release, static: $(binding vercel) }
checks:
  home: { app: web, path: /, every: 1s, timeout: 900ms, down_after: 2, up_after: 2 }
  database: { app: web, kind: postgres, every: 5s, timeout: 1s, environments: [near] }
  cache: { app: web, kind: redis, every: 5s, timeout: 1s, environments: [near] }
END

# --- What it serves ----------------------------------------------------------------------------------

: >answers
# serve [ARGUMENT...]: leaves $pid and $url
serve() {
    begin serve --listen 127.0.0.1:0 "$@"
    until_true 100 grep -q http bg.out || sed 's/^/# /' bg.err
    url=$(head -n 1 bg.out)
    url=${url%/}
}

# get PATH [CURL OPTION...]: the body into out, the status into $status
get() {
    get_path=$1
    shift
    status=$(curl -sS --max-time 10 -o out -w '%{http_code}' "$@" "$url$get_path" 2>err)
    cat out >>answers
}

# that NAME PATH FILTER: the answer's JSON fulfils it
that() {
    get "$2"
    check "$1" jq -es "length == 1 and (.[0] | $3)" out
}

# comes NAME PATH FILTER: it does so in time
comes() {
    comes_path=$2 comes_filter=$3
    asks() { get "$comes_path" && jq -es "length == 1 and (.[0] | $comes_filter)" out; }
    until_true 400 asks
    report $? "$1"
}

# ends NAME PID: it ends by itself, well
ends() {
    wait "$2"
    is "$1" $? 0
}

sed '/database/d; /cache/d' trine.yaml >bare.yaml
manifest=bare.yaml
serve
that 'with nothing to measure at all' /api/v1/checks '.checks == []'
that 'it waits' /api/v1/overview '.environments | length == 2'
kill -TERM "$pid"
ends 'and ends when it is told to' "$pid"
manifest=trine.yaml
t serve -n --listen 127.0.0.1:0
check 'a dry run says what it would do, and ends' says 'would measure 2 targets and serve'
serve
[ -n "$url" ] || { echo "Bail out! trine serve does not start"; exit 1; }
get /healthz
is 'it lives' "$(cat out)" ok
get /
is 'and has a first page' "$status" 200
that 'what is not live yet is not measured' /api/v1/checks 'all(.checks[]; .check != "home")'
deploy -e near
is 'one of the two is deployed' "$status" 0
comes 'what is deployed is measured and up' /api/v1/overview '.environments[0] |
    .name == "near" and .checks.up >= 1 and .deployments.live == 1'
that 'what is not deployed is told' /api/v1/overview '.environments[1] | .deployments == {live: 0, failed: 0, other: 1}'

# --- Two readers see it live -------------------------------------------------------------------------

curl -sSN --max-time 120 "$url/api/v1/events" >events.1 2>/dev/null &
reader_1=$!
curl -sSN --max-time 120 "$url/api/v1/events" >events.2 2>/dev/null &
reader_2=$!
children="$children $reader_1 $reader_2"
events() { # events FILE NAME: their data
    awk -v name="event: $2" '$0 == name { getline; sub(/^data: /, ""); print }' "$1"
}
has_event() { [ -n "$(events "$1" "$2")" ]; }
until_true 100 has_event events.1 samples
report $? 'a reader is sent samples'
until_true 100 has_event events.2 samples
report $? 'and so is a second one'
check 'twelve members each' sh -c "$(printf '%s' 'sed -n "s/^data: \(\[\[.*\)/\1/p" events.1 |
    jq -es "length > 0 and all(.[][]; length == 12)"')"

deploy -e far
is 'the other is deployed by another process' "$status" 0
comes 'it is picked up' /api/v1/checks '[.checks[] | select(.environment == "far" and .state == "up")] | length == 1'
until_true 50 has_event events.1 deployments
report $? 'and told to readers'
that 'a tick asks both environments: their samples are pairs' /api/v1/checks '[.checks[] | select(.check == "home") |
    .last[1]] | length == 2'

# --- Down, a kill, and up again ----------------------------------------------------------------------

faults '[{"host": "*.netlify.localhost", "status": 500}]'
home='.outages[] | select(.name == "home")'
comes 'a target that fails is down' /api/v1/checks '.checks[] | select(.environment == "near" and .check == "home") |
    .state == "down" and (.reason | test("500"))'
comes 'with one open outage' /api/v1/overview "[$home] | length == 1 and .[0].until == null and .[0].kind == \"down\""
outage=$(jq "$home | .id" out)
from=$(jq -r "$home | .from" out)
series=$(jq "$home | .check" out)
until_true 50 has_event events.1 outages
report $? 'readers are told'
until_true 50 has_event events.2 checks
report $? 'of the state as well'
get "/api/v1/checks/$series"
is 'it is dated back to the first bad sample' \
    "$(jq -r '[.samples[] | select(.[2] == "failed")][0][1] / 1000 | floor | todate' out)" "$from"
check 'the check has its cells and figures' jq -e '.cells | length >= 1' out
that 'the other environment is not touched' /api/v1/overview '.environments[1].state == "up"'

kill -9 "$pid"
wait "$pid" 2>/dev/null
# shellcheck disable=SC3045 # dash has them, and so has every other shell of Debian
ulimit -S -n 200
# shellcheck disable=SC3045
ulimit -H -n 250
serve
check 'all the open files that it may have are taken' awk '/^Max open files/ { exit $4 != 250 }' "/proc/$pid/limits"
check 'and that they may not do is said' grep -q 'up to 4 connections .* 250 open files' bg.err
that 'after a kill the outage is still open, and the same' /api/v1/overview \
    "[$home] | length == 1 and .[0].id == $outage and .[0].from == \"$from\""
comes 'the target is asked again' "/api/v1/checks/$series" '.check.state == "down" and .check.last != null'
that 'there is no second one' /api/v1/outages "[$home] | length == 1"
faults '[]'
comes 'when it answers again the outage is over' /api/v1/outages "[$home] | length == 1 and .[0].until != null"
comes 'and the target up' /api/v1/checks '.checks[] | select(.environment == "near" and .check == "home") | .state == "up"'
that 'the window before has the samples of both runs' "/api/v1/checks/$series?from=10m" '.samples | length >= 5'
comes 'what the first run left was rolled up at the start' /api/v1/prober '.store.cells | all(. >= 1)'

# --- Who may -----------------------------------------------------------------------------------------

post() { get "$1" -X POST -H "Authorization: Bearer $2"; }
get "/api/v1/checks/$series/probe" -X POST
is 'a change without a token: 401' "$status" 401
check 'with words that help' jq -e '.error.text | test("trine token create")' out
t token create reader
is 'a token is made' "$status" 0
reader=$(cat out)
t token create hand --scope operate
hand=$(cat out)
t token create hand
is 'a name is given once' "$status" 1
t token list
check 'the list names them' prints hand
check 'and holds no token' nothing grep -q "$hand" out
post "/api/v1/checks/$series/probe" "$reader"
is 'a token that may read changes nothing: 403' "$status" 403
post "/api/v1/checks/$series/probe" "$hand"
is 'one that may operate asks now: 202' "$status" 202
comes 'its sample is marked as extra' "/api/v1/checks/$series?from=1m" 'any(.samples[]; .[4])'
post "/api/v1/outages/$outage/acknowledge" "$hand"
is 'and acknowledges' "$status" 200
check 'the answer is the outage' jq -e ".id == $outage and .acknowledged_at != null" out
post /api/v1/outages/999999/acknowledge "$hand"
is 'which must be there: 404' "$status" 404
t token revoke hand
post "/api/v1/checks/$series/probe" "$hand"
is 'a revoked token is none: 401' "$status" 401
get "/api/v1/checks/$series/probe" -X POST -H 'Authorization: Bearer trine_0' -H 'Origin: http://evil.example'
is 'a page of another site: 403' "$status" 403
get /api/v1/overview -H 'Host: evil.example'
is 'a name that is not ours: 421' "$status" 421
get /api/v1/nothing
is 'what is not there: 404' "$status" 404
check 'in the one shape of errors' jq -e '.error | has("kind") and has("text")' out
get /api/v1/overview -X DELETE
is 'what it does not take: 405' "$status" 405
get "/api/v1/checks/$series?from=yesterday"
is 'a time that is none: 400' "$status" 400
get '/api/v1/checks/0'
is 'a number that is none: 404' "$status" 404
curl -sSI "$url/api/v1/overview" >headers
check 'every answer is guarded' grep -qi "^content-security-policy: default-src 'self'" headers
for header in 'x-content-type-options: nosniff' 'x-frame-options: deny' 'referrer-policy: no-referrer'; do
    check "$header" grep -qi "^$header" headers
done
t token revoke reader
t serve --listen 0.0.0.0:0
is 'on an address that others reach it begins only with a token' "$status" 2
check 'and says how to make one' says 'trine token create'

# --- Metrics, by a strict reading of the format ------------------------------------------------------

get /metrics
check 'the metrics can be read' awk '
    /^# HELP [a-z_]+ ./ { help[$3] = 1; next }
    /^# TYPE [a-z_]+ (counter|gauge|summary)$/ { if (!help[$3] || type[$3]) exit bad = 1; type[$3] = $4; now = $3; next }
    /^#/ { exit bad = 1 }
    {
        if (!match($0, /^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)+\})? (NaN|[+-]Inf|-?[0-9.]+(e[+-]?[0-9]+)?)$/))
            { print "line: " $0; exit bad = 1 }
        name = $0; sub(/[ {].*/, "", name); base = name
        if (type[now] == "summary") sub(/_(sum|count)$/, "", base)
        if (base != now) { print "out of its family: " $0; exit bad = 1 }
        if (type[now] == "counter" && name !~ /_total$/) { print "counter: " $0; exit bad = 1 }
        key = $0; sub(/ [^ ]*$/, "", key)
        if (seen[key]++) { print "twice: " key; exit bad = 1 }
        n++
    }
    END { exit bad || n < 20 }' out
check 'a check that is well' grep -q '^trine_check_up{environment="near",app="web",.*check="home".*} 1$' out
check 'its samples by outcome' grep -q '^trine_check_samples_total{.*outcome="ok"} [1-9]' out
check 'how late it sent' grep -q '^trine_probe_lateness_seconds{quantile="0.99"} ' out
check 'how large it is' grep -q '^process_resident_memory_bytes [1-9]' out

# --- A manifest that changes -------------------------------------------------------------------------

cp trine.yaml right.yaml
echo 'nonsense: true' >>trine.yaml
kill -HUP "$pid"
until_true 50 grep -q 'stays in force' bg.err
report $? 'a manifest that is wrong is not taken'
that 'all goes on' /api/v1/overview '.environments[1].state == "up"'
cp right.yaml trine.yaml
echo '  icon: { app: web, path: /assets/main.css, every: 1s, timeout: 900ms }' >>trine.yaml
kill -HUP "$pid"
comes 'one that is right is' /api/v1/checks '[.checks[] | select(.check == "icon" and .state == "up")] | length == 2'
comes 'what was known is kept' "/api/v1/checks/$series" '.check.state == "up" and (.samples | length) >= 5'

t compare --self-test --from 10m --days 1
is 'a self-test at the terminal' "$status" 0
comes 'is shown by the prober' /api/v1/prober '.self_test | .rounds >= 200 and .alpha == 0.05 and .rate <= 1 and
    (.at | fromdate) > 0'

# --- No secret anywhere ------------------------------------------------------------------------------

for path in /api/v1/overview /api/v1/checks /api/v1/prober /api/v1/deployments /api/v1/releases /api/v1/outages \
    /api/v1/compare /metrics; do
    get $path
    is "$path answers" "$status" 200
done
that 'a database that cannot be reached has its reason' /api/v1/checks '.checks[] | select(.check == "database") |
    .reason | length > 0'
# shellcheck disable=SC2046
grep -al 'canary7[f]3a' /proc/[0-9]*/cmdline 2>/dev/null >words
is 'no secret in an answer' "$(grep -c canary7f3a answers)" 0
is 'nor in an event' "$(cat events.1 events.2 | grep -c canary7f3a)" 0
is 'nor in the log' "$(grep -c canary7f3a bg.err)" 0
is 'nor in the store' "$(grep -alr canary7f3a state)" ''
is 'nor among the processes' "$(cat words)" ''
is 'nor is a token' "$(grep -alr "$hand" state)" ''

kill -TERM "$pid"
started=$(date +%s)
ends 'it ends when it is told to' "$pid"
check 'soon' test $(($(date +%s) - started)) -le 5
finish
