# shellcheck shell=sh disable=SC2034,SC2154 # names of lib.sh and clients.sh
# A large bundle: `trine plan` has to read and hash every file (SHA-1, as Netlify wants it, and the
# search for secrets) with a fresh state; the peer is sha1sum over the same files in two processes.
# Both find the files in the page cache.

hash_manifest() {
    cat >"$1/trine.yaml" <<'END'
project: bench
apps:
  site: { kind: static }
environments:
  large:
    branch: main
    static: { platform: netlify, name: bench-large, token: $NETLIFY_AUTH_TOKEN }
END
}

hash_ours() {
    rm -rf "$work/state"
    measured "$1" build/trine plan -f "$work/large/trine.yaml" --commit "$commit" \
        --state "$work/state" --env-file examples/weedgo/sim.env
}

hash_theirs() {
    # shellcheck disable=SC2016
    measured "$1" sh -c 'find "$1" -type f -print0 | xargs -0 -n 200 -P 2 sha1sum -b >/dev/null' \
        sh "$work/large/dist"
}

bench_hash() {
    mib=2048
    [ -z "${TRINE_BENCH_SMALL:-}" ] || mib=256
    free=$(df -Pk "$work" | awk 'NR == 2 { print int($4 / 1024) }')
    if [ "$free" -lt $((mib + 512)) ]; then
        say "no room for the bundle: $free MiB free in $work, $((mib + 512)) needed (TMPDIR names another place)"
    else
        mkdir "$work/large"
        hash_manifest "$work/large"
        build/tests/bench/make_files "$work/large/dist" 20000 $((mib * 1024 * 1024))
        hash_theirs "$work/hash.warm" || did_not sha1sum
        for _ in 1 2 3; do
            hash_ours "$work/hash.ours" || { did_not trine && break; }
            hash_theirs "$work/hash.theirs" || { did_not sha1sum && break; }
        done
        rm -rf "$work/large"
    fi
    row hash-2gib-wall s "$(median "$work/hash.ours" wall_s)" "$(median "$work/hash.theirs" wall_s)" \
        "2 x sha1sum, $mib MiB" 'at least 1 x'
    row hash-2gib-cpu s "$(median "$work/hash.ours" cpu_s)" "$(median "$work/hash.theirs" cpu_s)" \
        "2 x sha1sum, $mib MiB" ''
    row hash-2gib-memory MiB "$(median "$work/hash.ours" rss_mib)" null '' '< 64'
}
