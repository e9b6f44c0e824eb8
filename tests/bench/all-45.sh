# shellcheck shell=sh disable=SC2034,SC2154 # names of lib.sh and clients.sh
# The example's 45 deployments with every bundle built already, to a fresh simulator; then once more,
# when nothing is left to do.

all_45_deploy() {
    measured "$1" build/trine deploy -f examples/weedgo/trine.yaml --commit "$commit" \
        --state "$work/state" --bases "$work/bases.json" --env-file examples/weedgo/sim.env
}

# Everything that was ever sent to a platform to be shown.
all_45_sent='[.platforms[] | .uploads // 0, .deployments // 0] | add'

all_45_once() {
    simulator_start
    rm -rf "$work/state"
    cp -R "$work/built" "$work/state"
    all_45_deploy "$work/all.first" || { did_not "the first run" && return 1; }
    sent=$(books "$all_45_sent")
    all_45_deploy "$work/all.second" || { did_not "the second run" && return 1; }
    live=$(books '[.platforms[] | .live // 0] | add')
    sent_again=$(($(books "$all_45_sent") - sent))
    simulator_stop
}

bench_all_45() {
    live=null
    sent_again=null
    need_node
    mkdir "$work/built"
    say "building the example's bundles"
    if measured "$work/all.built" build/trine deploy --build-only -f examples/weedgo/trine.yaml \
        --commit "$commit" --state "$work/built" --env-file examples/weedgo/sim.env; then
        for _ in 1 2 3; do
            all_45_once || break
        done
        simulator_stop
    else
        did_not "building"
    fi
    row all-45-first s "$(median "$work/all.first" wall_s)" null '' '< 3'
    row all-45-live live "$live" null '' '= 45'
    row all-45-again s "$(median "$work/all.second" wall_s)" null '' '< 0.3'
    row all-45-again-sent sent "$sent_again" null '' '= 0'
}
