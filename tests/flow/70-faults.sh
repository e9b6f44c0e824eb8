#!/bin/sh
# One request in ten goes wrong, in every way there is, and 429s come: all 45 are live at the end, nothing is
# there twice, and no platform's documented rate was broken. TRINE_ROUNDS says how often (default 3).
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

seed=${TRINE_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "# TRINE_SEED=$seed"
bound=240

credentials
start_sim
forty_five
deploy
is 'without faults: ends with 0' "$status" 0
holds() { ledger | jq -c 'map_values(del(.uploads))'; }
wanted=$(holds)

over() { # limits that were broken
    books '[.platforms | to_entries[] | .key as $p | .value.rates[] |
        select(.most > .limit) | "\($p) \(.name): \(.most) of \(.limit)"] | join("; ")'
}

round=0
while [ "$round" -lt "${TRINE_ROUNDS:-3}" ]; do
    round=$((round + 1))
    rm -rf state
    curl -fsS --max-time 10 -X POST "$control/reset" >/dev/null
    faults '[{"probability": 0.1, "mix": true, "seed": '$((seed + round))'}]'
    # A single run goes through nearly always; what it leaves unfinished the next one ends.
    runs=0
    while :; do
        runs=$((runs + 1))
        deploy -v -v
        [ "$status" -eq 0 ] || [ "$runs" -eq 3 ] && break
    done
    grep -c '^retry' err | sed "s/^/# round $round, run $runs: /; s/\$/ retries/"
    is "round $round: ends with 0" "$status" 0
    is "round $round: 45 are live" "$(live)" 45
    is "round $round: nothing is there twice" "$(holds)" "$wanted"
    is "round $round: no rate was broken" "$(over)" ''
    faults '[]'
    before=$(requests)
    deploy
    is "round $round: the next run has nothing to do" "$status $(($(requests) - before))" '0 0'
done
finish
