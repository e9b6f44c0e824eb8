# shellcheck shell=sh disable=SC2154 # names of lib.sh
# How late the schedule sends: 5,000 http checks, each every second, on one core, 5 % of their targets hung.
# There is no peer: the probers that we know thin out or delay when a target hangs.

bench_lateness() {
    for kind in keep new; do
        build/tests/bench/lateness 5000 20 5 $kind >"$work/late.$kind" || say "lateness, $kind: over its bound"
        row "lateness-$kind-p99" ms "$(jq '.late_p99_ms' "$work/late.$kind")" null '' '< 20'
        row "lateness-$kind-missed" slots "$(jq '.missed' "$work/late.$kind")" null '' '= 0'
    done
}
