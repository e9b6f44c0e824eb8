#!/bin/sh
# kill -9 at random moments of a run of 45 deployments; the next run always ends with all of them live and
# nothing there twice. TRINE_KILLS says how many moments (default 12), TRINE_SEED which.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

kills=${TRINE_KILLS:-12}
seed=${TRINE_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "# $kills kills, TRINE_SEED=$seed"

credentials
start_sim
forty_five

# What the platforms hold; a file that was on its way when the run died may travel again.
holds() { ledger | jq -c 'map_values(del(.uploads))'; }

start=$(date +%s%N)
deploy
is 'an undisturbed run ends with 0' "$status" 0
span_ms=$((($(date +%s%N) - start) / 1000000))
wanted=$(holds)
is 'and leaves 45 live' "$(live)" 45

random() { # random MOST: 0 to MOST - 1
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    echo $((seed / 65536 % $1))
}

kill_one() { # after a part of the undisturbed run's time
    after=$(random "$span_ms")
    moments="$moments $after"
    begin deploy --commit "$commit"
    sleep "$(printf '%d.%03d' $((after / 1000)) $((after % 1000)))"
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}

i=0
while [ "$i" -lt "$kills" ]; do
    i=$((i + 1))
    rm -rf state
    curl -fsS --max-time 10 -X POST "$control/reset" >/dev/null
    moments=''
    kill_one
    [ $((i % 3)) -eq 0 ] && kill_one # the run that takes up the first one's work dies too
    deploy
    is "killed at$moments ms: the next run ends with 0" "$status" 0
    is "killed at$moments ms: 45 are live" "$(live)" 45
    is "killed at$moments ms: nothing is there twice" "$(holds)" "$wanted"
done
finish
