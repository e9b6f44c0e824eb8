#!/bin/sh
# The wall clock is stepped by an hour, forth and back and further back, while the daemon measures: ticks go
# on at their interval, no sample is lost, none is counted twice. libfaketime steps the clock of the running
# program; without it this is skipped. TRINE_STEP says how many seconds are measured after each step (5).
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

library=$(find /usr/lib /usr/local/lib -name 'libfaketimeMT.so.1' 2>/dev/null | head -n 1)
[ -n "$library" ] || skip_all 'no libfaketime'
each=${TRINE_STEP:-5}
credentials
start_sim
site web/dist
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web, instances: [one, two, three, four] }
environments:
  near: { branch: develop, static: $(binding netlify) }
checks:
  home: { app: web, path: /, every: 1s, timeout: 900ms, down_after: 2 }
END
deploy
is 'deployed' "$status" 0

get() { curl -fsS --max-time 10 "${url}api/v1/$1" >answer.json && jq -c "$2" answer.json; }
# serve [NAME=VALUE...]: with these in its environment
serve() {
    env "$@" "$program" serve --listen 127.0.0.1:0 -f trine.yaml --state state --bases bases.json --env-file sim.env \
        >bg.out 2>bg.err &
    pid=$!
    children="$children $pid"
    until_true 100 grep -q http bg.out
    url=$(head -n 1 bg.out)
}
step() { # step SECONDS: in one piece, as date -s does it
    echo "$1" >clock.new
    mv clock.new clock
}
seconds() {
    seconds_left=$1
    while [ "$seconds_left" -gt 0 ]; do
        sleep 1
        seconds_left=$((seconds_left - 1))
    done
}
step +0
serve LD_PRELOAD="$library" FAKETIME_TIMESTAMP_FILE="$work/clock" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
curl -sSN --max-time 600 "${url}api/v1/events" >events 2>/dev/null &
children="$children $!"
until_true 100 grep -q '^event: samples' events
report $? 'it measures'
begun=$(date +%s%3N)
seconds "$each"
for to in +3600 +0 -3600 +0; do
    step $to
    seconds "$each"
done
elapsed=$(($(date +%s%3N) - begun))
is 'all is up' "$(get checks '[.checks[].state] | unique')" '["up"]'
get prober '{missed, dropped_samples, lateness_ms}' >prober.json
check 'no slot was missed, no sample dropped' jq -e '.missed == 0 and .dropped_samples == 0' prober.json
kill -TERM "$pid"
wait "$pid"
is 'it ends with 0' "$?" 0
is 'and the file is whole' "$(sqlite3 state/trine.db 'PRAGMA integrity_check')" ok
echo "# $(cat prober.json)"

awk '$0 == "event: samples" { getline; sub(/^data: /, ""); print }' events | jq -c '.[] | select(.[4] | not)' >seen.json
# Who reads it later has a clock that is right: an hour ahead lies in the future, and is asked for by name.
serve TRINE_NOTHING=1
until=$(date -u -d '+2 hours' +%Y-%m-%dT%H:%M:%SZ)
middle=$(date -u -d '+30 minutes' +%Y-%m-%dT%H:%M:%SZ)
from=$(date -u -d '-2 hours' +%Y-%m-%dT%H:%M:%SZ)
for id in $(get checks '.checks[].id'); do
    get "checks/$id?from=$from&until=$middle" '{id: .check.id, samples, cells}'
    get "checks/$id?from=$middle&until=$until" '{id: .check.id, samples, cells}'
done >stored.json
cp answer.json last.json
check 'what was told is stored, each once' jq -en --slurpfile stored stored.json --slurpfile seen seen.json '
    [$stored[].samples[] | "\(.[0]) \(.[1])"] as $all | ([$all[] | {key: ., value: true}] | from_entries) as $have |
    ($all | length) == ($have | length) and all($seen[]; $have["\(.[0]) \(.[1])"])'
# By the clock that nobody steps: a sample of each target a second, all the way through.
per=$((elapsed / 1000))
check 'ticks went on at their interval' jq -es --argjson per "$per" 'group_by(.[0]) | length == 4 and
    all(.[]; length >= $per and length <= $per + 3)' seen.json
check 'at the hours that the clock told' jq -es 'map(.[1]) | max - min | . > 7100000 and . < 7300000' seen.json
check "history's cells count each once" jq -es 'map(([.cells[].ok] | add // 0) - ([.samples[] | select(.[4] | not)] | length)) |
    all(. == 0)' stored.json
is 'no outage came of it' "$(get 'outages?from=7d' '.outages')" '[]'
finish
