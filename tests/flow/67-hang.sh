#!/bin/sh
# One target accepts each request and never answers, among many others asked every second: the others have a
# sample of every slot and are asked in time, and the one that hangs has all of its own, each failed with
# its timeout. TRINE_HANG says for how many seconds (default 20; the acceptance run is 600), TRINE_LATE how
# late the 99th percentile of requests may be sent, in ms (default 20: what one core must do). On a machine
# that is busy with other things it may be twice that of a daemon beside it, for which nothing hangs.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${TRINE_HANG:-20} late=${TRINE_LATE:-20} n=24 timeout_ms=900
credentials
start_sim
site web/dist
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web, instances: [$(seq -s ', ' -f 'site%02g' $n)] }
environments:
  uat: { branch: develop, static: $(binding netlify) }
  calm: { branch: release, static: $(binding vercel) }
checks:
  home: { app: web, path: /, every: 1s, timeout: ${timeout_ms}ms, down_after: 3 }
END
deploy
is 'deployed' "$status" 0
host=$("$program" status --json -q -f trine.yaml --state state |
    jq -r '.environments[] | select(.name == "uat") | .deployments[] | select(.instance == "site07") | .url' | sed 's|^http://||; s|:.*||')
faults "[{\"host\": \"$host\", \"stall\": true}]"

# get PATH FILTER: of what the daemon answers
get() { curl -fsS --max-time 10 "${url}api/v1/$1" >answer.json && jq -c "$2" answer.json; }
serve() {
    begin serve --listen 127.0.0.1:0 -e uat
    until_true 100 grep -q http bg.out
    url=$(head -n 1 bg.out)
}
cp -r state state.calm
"$program" serve --listen 127.0.0.1:0 -e calm -f trine.yaml --state state.calm --bases bases.json --env-file sim.env \
    >calm.out 2>calm.err &
calm=$!
children="$children $calm"
serve
left=$((seconds + 2))
while [ "$left" -gt 0 ]; do # for as long as it was asked for: this is what is tested
    sleep 1
    left=$((left - 1))
done
get prober '{lateness_ms, missed, dropped_samples}' >prober.json
get checks '[.checks[] | {id, instance}]' >ids.json
beside=$(curl -fsS --max-time 10 "$(head -n 1 calm.out)api/v1/prober" | jq '.lateness_ms.p99')
kill -9 "$calm"
wait "$calm" 2>/dev/null
kill -TERM "$pid"
wait "$pid"
is 'the daemon ends with 0' "$?" 0

# All that it wrote, told by another one.
serve
for id in $(jq '.[].id' ids.json); do
    get "checks/$id" '.check.instance as $instance | .samples[] | select(.[4] | not) |
        {instance: $instance, at: .[1], outcome: .[2], late: .[6], total: .[11]}'
done | jq -cs 'group_by(.instance) | map({instance: .[0].instance,
    first: map(.at) | min, samples: sort_by(.at)})' >all.json
kill -9 "$pid"
wait "$pid" 2>/dev/null

that() { check "$1" jq -e "$2" all.json; }
that "$n targets were asked" "length == $n"
# The second daemon's samples are there too, after a gap: only those of the first one's time count.
jq -c "map(.first as \$first | . + {slots: [.samples[] | select(.at < \$first + $seconds * 1000 - 500)]})" all.json >slots.json
mv slots.json all.json
that 'each has a sample of every slot, the hung one too' "all(.[]; .slots | length == $seconds)"
that 'a second apart each, by a wall clock that may be slewed' 'all(.[]; [.slots[].at] | [.[1:], .[:-1]] | transpose | all(.[0] - .[1] | . >= 998 and . <= 1002))'
that 'none of the others is thinned or failed' 'all(.[] | select(.instance != "site07"); all(.slots[]; .outcome == "ok"))'
that 'the one that hangs: every sample failed' '.[] | select(.instance == "site07") | all(.slots[]; .outcome == "failed")'
that 'and its tail is whole: none ended before its timeout' ".[] | select(.instance == \"site07\") |
    all(.slots[]; .total == null or .total >= $timeout_ms)"
check 'no sample was dropped, none missed' jq -e '.missed == 0 and .dropped_samples == 0' prober.json
check "lateness: 99 of 100 requests within $late ms" jq -e ".lateness_ms | .n >= $n * $seconds and
    .p99 < ([$late, 2 * $beside] | max)" prober.json
echo "# $(cat prober.json); beside it, where nothing hangs, p99 $beside"
echo "# $(jq -c '.[] | select(.instance == "site07") | .slots[-1]' all.json)"
finish
