#!/bin/sh
# trine bench against the simulator's services: numbers add up, terms and allowances are kept, a sick
# environment is left alone.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

credentials
start_sim
forty_five
cat >>trine.yaml <<'END'
bench:
  items: { app: api, path: /health, requests: 40, concurrency: 8 }
  pages: { app: api, path: /health, environments: [uat, beta] }
END
deploy -a api
is 'the service is live in three environments' "$status" 0

t bench items --rate 40 --json
is 'a short run ends well' "$status" 0
is 'three environments were loaded' "$(jq '.environments | length' out)" 3
is 'each moment had its request' "$(jq -r '[.environments[].meant] | unique | join(" ")' out)" 40
is 'every request is accounted for' \
    "$(jq '[.environments[] | .answered + .failed == .meant] | all' out)" true
is 'three pairs are compared' "$(jq '.pairs | length' out)" 3
is 'ranges hold their figures' \
    "$(jq '[.environments[].p50_ms | .low <= .value and .value <= .high] | all' out)" true

t bench items --rate 40 --duration 1s -e beta
is 'one environment alone is measured too' "$status" 0
check 'its row is there' prints beta
check 'what the run takes of an allowance is said' says 'bandwidth a month'

t bench
is 'which comparison must be said when there are several' "$status" 2
check 'they are named' says 'items, pages'
t bench nonsense
is 'an unknown one is refused' "$status" 2
t bench items --rate fast
is 'a rate that is no number is refused' "$status" 2
t bench items --rate 1000000
is 'a rate beyond all reason is refused' "$status" 2
t bench items --duration 2h
is 'a run longer than an hour is refused' "$status" 2

t bench items --rate 2000 --duration 50m
is 'more than a part of a free allowance is refused' "$status" 1
check 'with the arithmetic' says 'requests of'
check 'and the way on' says '--force'
t bench items --rate 20 --duration 1s -n
is 'a dry run ends well' "$status" 0
is 'a dry run prints no figures' "$(cat out)" ''

faults '[{"host": "*koyeb*", "status": 429, "after": 5}]'
t bench items --rate 40 --duration 10s -e uat --json
is 'an environment that asks for less makes the answer no' "$status" 1
is 'it was left alone' "$(jq -r '.environments[0].stopped' out)" asked-to-stop
check 'long before the end' test "$(jq '.environments[0].sent' out)" -lt 100
faults '[]'

finish
