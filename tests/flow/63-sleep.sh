#!/bin/sh
# A service that sleeps: its cold starts are counted in a table of their own, each of them, and the warm
# figures are those of a service that never sleeps. TRINE_NAPS says how often it is let sleep (default 5;
# the acceptance run is 60).
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# At this rate a free service of Koyeb sleeps after 2.6 s without a request; trine, which counts the hour
# of its documentation, takes it for asleep after 2.4 s. Awake, both services are equally fast.
naps=${TRINE_NAPS:-5} cold_ms=700 rate=1500
credentials
cat >latency.json <<END
{"seed": 7, "hosts": [
    {"host": "*.koyeb.localhost", "median_ms": 20, "p95_ms": 30, "cold_ms": $cold_ms},
    {"host": "*.localhost", "median_ms": 20, "p95_ms": 30}]}
END
start_sim --latency latency.json --clock-rate $rate
mkdir api
cat >trine.yaml <<END
project: flow
apps:
  api: { kind: service, path: api, port: 5024 }
environments:
  sleeper: { branch: develop, service: $(binding koyeb) }
  steady: { branch: release, service: $(binding railway | sed 's/project: flow/&, plan: hobby/') }
checks:
  both: { app: api, path: /health, every: 1s, timeout: 900ms }
targets: { cold_start: 2s }
END
# Two checks whose ticks lie up to 5 s apart: some find it awake, some asleep.
sed 's/^  both:.*/  both: { app: api, path: \/health, every: 1s, timeout: 900ms, environments: [steady] }\
  five: { app: api, path: \/health, every: 5s, timeout: 900ms, environments: [sleeper] }\
  six: { app: api, path: \/health, every: 6s, timeout: 900ms, environments: [sleeper] }/' trine.yaml >serve.yaml
deploy
is 'deployed' "$status" 0

# --- Probed in stretches, each of which wakes it -----------------------------------------------------

asleep() { curl -fsS --max-time 5 "$control/sites" | jq -e 'any(.. | objects; .asleep? == true)'; }
nap=0
while [ "$nap" -lt "$naps" ]; do
    until_true 60 asleep || break
    t probe --for 1500ms --every 100ms
    [ "$status" -eq 0 ] || break
    nap=$((nap + 1))
done
is 'it slept and was woken as often as it was meant to' "$nap" "$naps"

t compare --json
cp out comparison.json
that() { check "$1" jq -e "$2" comparison.json; }
is 'cold starts have a table of their own: one a nap, of the sleeper alone, all well' \
    "$(jq -c '[.cold_starts[] | [.environment, .check, .n, .failed]]' comparison.json)" "[[\"sleeper\",\"both\",$naps,0]]"
that 'with what they took' ".cold_starts[0] | .median_ms.value >= $cold_ms * 0.99 and .max_ms < $cold_ms + 1200"
that 'which is a figure of the environment' '.environments | (.[0].figures.cold_start_ms.value >= 690) and
    .[1].figures.cold_start_ms == null'
# A cold start to about seven warm samples: if one in twenty leaked, the 95th percentile would be theirs.
that 'more than one sample in twenty is a cold one' ".endpoints[0].environments[0] | .cold == $naps and .n < 19 * .cold"
that 'the warm p95 does not move' '.environments | all(.figures.p95_ms.value < 350)'
that 'nor does the mean: within 40 ms of what never sleeps' '.environments |
    (.[0].figures.avg_ms.value - .[1].figures.avg_ms.value) | fabs < 40'
that 'a success is a success' '.environments | all(.figures.success_rate.value == 1)'

# --- By the daemon -----------------------------------------------------------------------------------

manifest=serve.yaml
until_true 60 asleep
begin serve --listen 127.0.0.1:0
until_true 100 grep -q http bg.out
url=$(head -n 1 bg.out)
# samples CHECK...: those of the daemon's own checks of the sleeper, with [2] outcome, [3] class, [11] total
samples() {
    for id in $(curl -fsS --max-time 10 "${url}api/v1/checks" |
        jq '.checks[] | select(.check == "five" or .check == "six") | .id'); do
        curl -fsS --max-time 10 "${url}api/v1/checks/$id?from=10m"
    done | jq -cs '[.[].samples[]]' >samples.json
}
both_classes() {
    samples && jq -e '([.[] | select(.[3] == "cold" and .[2] == "ok")] | length >= 3) and
        ([.[] | select(.[3] == "warm" and .[2] == "ok")] | length >= 2)' samples.json
}
until_true 300 both_classes
report $? 'it meets it asleep and awake'
check 'what woke it is cold, each of them' jq -e "[.[] | select(.[3] == \"cold\" and .[2] == \"ok\")] |
    all(.[11] >= $cold_ms * 0.99)" samples.json
check 'and nothing else is' jq -e "[.[] | select(.[3] == \"warm\" and .[2] == \"ok\")] | all(.[11] < $cold_ms)" samples.json
check 'no probe failed for it' jq -e 'all(.[]; .[2] == "ok" or .[2] == "missed")' samples.json
finish
