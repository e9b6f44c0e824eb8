#!/bin/sh
# The disk that holds the state is full while the daemon measures: it goes on, says so once, and writes all
# that it kept when there is room again. The disk is a small tmpfs in a mount namespace of this test's own.
# TRINE_FULL says for how many seconds it stays full (default 8).
# shellcheck source-path=SCRIPTDIR source=lib.sh
if [ "${TRINE_OWN_MOUNTS:-}" != 1 ] && unshare -m true 2>/dev/null; then
    TRINE_OWN_MOUNTS=1 exec unshare -m --propagation private sh "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"

[ "${TRINE_OWN_MOUNTS:-}" = 1 ] || skip_all 'this machine lets nobody make mount namespaces'
full=${TRINE_FULL:-8}
command -v sqlite3 >/dev/null 2>&1 || skip_all 'no sqlite3'
mkdir state
mount -t tmpfs -o size=4m trine-test "$work/state" 2>/dev/null || skip_all 'this machine lets nobody mount a tmpfs'
release() {
    for pid in $children; do
        kill -9 "$pid" 2>/dev/null
    done
    umount -l "$work/state" 2>/dev/null
    clean_up
}
trap release EXIT

credentials
start_sim
site web/dist
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web, instances: [one, two, three, four, five, six, seven, eight] }
environments:
  near: { branch: develop, static: $(binding netlify) }
checks:
  home: { app: web, path: /, every: 1s, timeout: 900ms, down_after: 2 }
END
deploy
is 'deployed' "$status" 0

get() { curl -fsS --max-time 10 "${url}api/v1/$1" >answer.json && jq -c "$2" answer.json; }
serve() {
    begin serve --listen 127.0.0.1:0
    until_true 100 grep -q http bg.out
    url=$(head -n 1 bg.out)
}
seconds() { # seconds N: they pass
    seconds_left=$1
    while [ "$seconds_left" -gt 0 ]; do
        sleep 1
        seconds_left=$((seconds_left - 1))
    done
}
serve
curl -sSN --max-time 300 "${url}api/v1/events" >events 2>/dev/null &
children="$children $!"
until_true 100 grep -q '^event: samples' events
report $? 'it measures'

cat /dev/zero >state/filler 2>/dev/null # as much as there is room
check 'the disk is full' test "$(df --output=avail state | tail -1)" -eq 0
until_true 200 grep -q 'not written yet' bg.err
report $? 'it says so'
seconds "$full"
is 'once, not once a second' "$(grep -c 'not written yet' bg.err)" 1
check 'with what to do' grep -Eq 'not written yet:.*(full|space|room)' bg.err
is 'nothing else is said over and over' "$(sed 's/^[^a-z]*//' bg.err | sort | uniq -c | awk '$1 > 2' | wc -l)" 0
is 'it answers' "$(curl -fsS --max-time 10 "${url}healthz")" ok
before=$(get checks '[.checks[].last[1]] | max')
goes_on() { [ "$(get checks '[.checks[].last[1]] | min')" -gt "$before" ]; }
check 'and measures' until_true 50 goes_on
is 'what it knows of the targets is right' "$(get checks '[.checks[].state] | unique')" '["up"]'
is 'nothing is dropped' "$(get prober .dropped_samples)" 0

# An outage that begins while nothing can be written.
faults '[{"host": "*.netlify.localhost", "status": 500}]'
is_state() { [ "$(get checks '[.checks[].state] | unique')" = "$1" ]; }
until_true 100 is_state '["down"]'
report $? 'a target that fails meanwhile is seen'
faults '[]'
until_true 100 is_state '["up"]'
report $? 'and that it is well again'

rm state/filler
until_true 100 grep -q 'written again' bg.err
report $? 'when there is room again this is said'
seconds 2
kill -TERM "$pid"
wait "$pid"
is 'it ends with 0' "$?" 0
is 'the file is whole' "$(sqlite3 state/trine.db 'PRAGMA integrity_check')" ok

serve
for id in $(get checks '.checks[].id'); do
    get "checks/$id?from=1h" '.samples[]'
done >stored.json
get 'outages?from=1h' '[.outages[] | .kind + (if .until then " over" else " open" end)] | unique' >outages
awk '$0 == "event: samples" { getline; sub(/^data: /, ""); print }' events | jq -c '.[]' >seen.json
check 'every sample that was told is kept, each once' jq -en --slurpfile stored stored.json --slurpfile seen seen.json '
    ([$stored[] | {key: "\(.[0]) \(.[1]) \(.[4])", value: true}] | from_entries) as $have |
    ($stored | length) == ($have | length) and ($seen | length) >= 8 * '"$full"' and
    all($seen[]; $have["\(.[0]) \(.[1]) \(.[4])"])'
is 'and the outages too' "$(cat outages)" '["down over"]'
finish
