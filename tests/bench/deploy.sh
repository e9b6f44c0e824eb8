# shellcheck shell=sh disable=SC2034,SC2154 # names of lib.sh and clients.sh
# Deploying one small site, as a whole process with its start: trine against the platform's own client.
# Each run has a simulator of its own, so that every file has to travel. The client finds its project
# made; trine makes its own.

deploy_manifest() {
    mkdir -p "$work/site"
    [ -d "$work/site/dist" ] || build/tests/bench/make_files "$work/site/dist" 30 600000
    cat >"$work/site/trine.yaml" <<'END'
project: bench
apps:
  site: { kind: static }
environments:
  wrangler:
    branch: main
    static:
      platform: cloudflare-pages
      name: bench-site
      account: $CLOUDFLARE_ACCOUNT_ID
      token: $CLOUDFLARE_API_TOKEN
  netlify:
    branch: main
    static: { platform: netlify, name: bench-site, token: $NETLIFY_AUTH_TOKEN }
  vercel:
    branch: main
    static: { platform: vercel, name: bench-site, team: $VERCEL_ORG_ID, token: $VERCEL_TOKEN }
END
}

# deploy_ours CLIENT
deploy_ours() {
    simulator_start
    rm -rf "$work/state"
    measured "$work/$1.ours" build/trine deploy -f "$work/site/trine.yaml" -e "$1" --commit "$commit" \
        --state "$work/state" --bases "$work/bases.json" --env-file examples/weedgo/sim.env ||
        { did_not trine && return 1; }
    simulator_stop
}

# deploy_theirs CLIENT: the project is made before the measuring, where the client needs it
deploy_theirs() {
    simulator_start
    home=$work/home
    rm -rf "$home"
    mkdir "$home"
    client_measure=''
    case $1 in
    wrangler)
        to=$(base cloudflare-pages)
        run_wrangler "$home" "$to" pages project create bench-site --production-branch main \
            >"$work/out" 2>&1 &&
            measured "$work/$1.theirs" run_wrangler "$home" "$to" pages deploy "$work/site/dist" \
                --project-name bench-site --branch main
        ;;
    netlify)
        to=$(base netlify)
        run_netlify "$home" "$to" api createSite --data '{"body": {"name": "bench-site"}}' \
            >"$work/out" 2>&1 &&
            measured "$work/$1.theirs" run_netlify "$home" "$to" deploy --dir "$work/site/dist" \
                --no-build --prod --json --site bench-site
        ;;
    vercel)
        cp -R "$work/site/dist" "$home/bench-site"
        measured "$work/$1.theirs" run_vercel "$home" "$(base vercel)" deploy "$home/bench-site" \
            --prod --yes --scope "$VERCEL_ORG_ID"
        ;;
    esac || { did_not "$1" && return 1; }
    simulator_stop
}

bench_deploy() {
    deploy_manifest
    eval "found=\$client_$1"
    [ -n "$found" ] || say "$1 is not there: name a folder that holds it with --clients"
    for _ in 1 2 3; do
        deploy_ours "$1" || break
        [ -n "$found" ] || continue
        deploy_theirs "$1" || break
    done
    simulator_stop
    for part in 'cpu cpu_s s 20' 'memory rss_mib MiB 10' 'wall wall_s s'; do
        # shellcheck disable=SC2086
        set -- "$1" $part
        row "deploy-$1-$2" "$4" "$(median "$work/$1.ours" "$3")" "$(median "$work/$1.theirs" "$3")" \
            "$1" "${5:+at least $5 x}"
    done
}
