# shellcheck shell=sh disable=SC2154 # names of lib.sh
# What history costs to keep and to read: 45 checks, one sample in 30 s for 30 days, made as a prober
# makes it. Average, p95 and success of all 45; a window is unaligned when it begins and ends within
# ten minutes, so that raw samples are read too. TRINE_BENCH_YEAR=1 makes a year, which takes minutes.

bench_history() {
    days=30
    [ -z "${TRINE_BENCH_YEAR:-}" ] || days=365
    TMPDIR=$work build/tests/bench/history "$days" >"$work/history" || no_history "$work/history"
    TMPDIR=$work build/tests/bench/history 30 45 full >"$work/history.full" || no_history "$work/history.full"
    history_row history-bytes bytes/sample .cells_bytes_a_sample '< 4'
    row history-bytes-phases bytes/sample "$(jq '.cells_bytes_a_sample?' "$work/history.full")" null '' ''
    history_row history-30d ms '."30d".ms' '< 10'
    history_row history-30d-unaligned ms '."30d unaligned".ms' '< 10'
    history_row history-7d-unaligned ms '."7d unaligned".ms' '< 10'
    history_row history-24h-unaligned ms '."24h unaligned".ms' '< 10'
    if [ "$days" = 365 ]; then
        history_row history-365d-unaligned ms '."365d unaligned".ms' '< 50'
    fi
}

no_history() { say 'the history was not made'; echo null >"$1"; }

# history_row NAME UNIT PATH BOUND
history_row() {
    row "$1" "$2" "$(jq "$3?" "$work/history")" null '' "$4"
}
