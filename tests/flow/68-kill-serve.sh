#!/bin/sh
# The daemon killed with -9 at random moments under load: the store opens each time, what lacks are samples
# of the last second at most, none is there twice, history's cells are what the samples come to, and an
# outage that was open is not opened again. TRINE_KILLS says how often (default 10).
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kills=${TRINE_KILLS:-10} n=20
# A write is due a second after its first sample; it may take this long on a busy machine.
slack_ms=500
credentials
start_sim
site web/dist
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web, instances: [$(seq -s ', ' -f 'site%02g' $n)] }
environments:
  near: { branch: develop, static: $(binding netlify) }
  far: { branch: release, static: $(binding vercel) }
checks:
  home: { app: web, path: /, every: 1s, timeout: 900ms, down_after: 2 }
  style: { app: web, path: /assets/main.css, every: 1s, timeout: 900ms }
  script: { app: web, path: /assets/main.js, every: 1s, timeout: 900ms }
END
deploy
is 'deployed' "$status" 0
# One target is down all the time: one outage.
host=$("$program" status --json -q -f trine.yaml --state state |
    jq -r '.environments[0].deployments[] | select(.instance == "site07") | .url' | sed 's|^http://||; s|:.*||')
faults "[{\"host\": \"$host\", \"path\": \"/\", \"status\": 500}]"

get() { curl -fsS --max-time 10 "${url}api/v1/$1" >answer.json && jq -c "$2" answer.json; }
serve() {
    begin serve --listen 127.0.0.1:0
    until_true 100 grep -q http bg.out
    url=$(head -n 1 bg.out)
    url=${url%/}/
}
whole() { [ "$(sqlite3 "$1" 'PRAGMA integrity_check')" = ok ]; }
command -v sqlite3 >/dev/null 2>&1 || whole() { :; }

: >seen.json
: >kills.json
from=$(date -u +%Y-%m-%dT%H:%M:%SZ)
opened=0 intact=0 round=0
while [ "$round" -lt "$kills" ]; do
    round=$((round + 1))
    serve
    [ -n "$url" ] && opened=$((opened + 1))
    curl -sSN --max-time 60 "${url}api/v1/events" >events 2>/dev/null &
    reader=$!
    children="$children $reader"
    until_true 100 grep -q '^event: samples' events
    sleep "$(awk -v s="$round$$" 'BEGIN { srand(s); printf "%.3f", 0.3 + rand() * 2.2 }')" # the random moment
    kill -9 "$pid"
    at=$(date +%s%3N)
    wait "$pid" 2>/dev/null
    wait "$reader"
    cp -r state copy && whole copy/trine.db && intact=$((intact + 1)) # of a copy: opening it would mend it
    rm -rf copy
    # Whole events only; each sample with the moment of this kill.
    awk '$0 == "event: samples" { getline; sub(/^data: /, ""); line = $0; next } $0 == "" && line { print line; line = "" }' \
        events | jq -c --argjson kill "$at" '.[] | {id: .[0], at: .[1], extra: .[4],
            end: (.[1] + (.[6] // 0) + (.[11] // 0)), kill: $kill}' >>seen.json
done
is 'it opened its store after each kill' "$opened" "$kills"
is 'and the file was whole each time' "$intact" "$kills"

serve
until_true 50 grep -q measuring bg.err
until=$(date -u +%Y-%m-%dT%H:%M:%SZ) # what is written now is later
sleep 1                               # the second that was begun
for id in $(get checks '.checks[].id'); do
    get "checks/$id?from=$from&until=$until" '{id: .check.id, samples, cells, from: .window.from, until: .window.until}'
done | jq -cs . >stored.json
get "outages?from=1h" '.outages | map(.kind)' >outages
kill -TERM "$pid"
wait "$pid"
is 'the daemon ends with 0' "$?" 0

jq -cs --slurpfile stored stored.json '
    ([$stored[0][].samples[] | {key: "\(.[0]) \(.[1]) \(.[4])", value: true}] | from_entries) as $have |
    {seen: length, lost: [.[] | select($have["\(.id) \(.at) \(.extra)"] | not) | {before_ms: (.kill - .end)}]}' \
    seen.json >lost.json
check 'there was load' jq -e ".seen > $kills * 40" lost.json
check 'what lacks of what was seen is of the last second' jq -e "all(.lost[]; .before_ms <= 1000 + $slack_ms)" lost.json
check 'no sample is there twice' jq -e '[.[].samples[] | "\(.[0]) \(.[1]) \(.[4])"] | length == (unique | length)' stored.json
# Cells hold what is on the clock, samples all: recounted from the samples, the outcomes must be the same.
check "history's cells are what the samples come to" jq -e '
    def outcomes: ["ok", "slow", "failed", "inconclusive", "missed"];
    all(.[]; . as $c | all(outcomes[]; . as $o |
        ([$c.cells[][$o]] | add // 0) == ([$c.samples[] | select((.[4] | not) and .[2] == $o)] | length)))' stored.json
is 'one outage, opened once' "$(cat outages)" '["down"]'
t compare --json
check 'and trine compare reads it all' jq -e '.environments | length == 2 and all(.figures.success_rate.n > 100)' out
echo "# $(jq -c '{seen, lost: (.lost | length), oldest_ms: ([.lost[].before_ms] | max)}' lost.json)"
finish
