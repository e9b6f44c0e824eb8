# shellcheck shell=sh disable=SC2034,SC2154 # names of lib.sh and clients.sh
# `trine plan` for many deployments: 20 web apps and 5 services, each in INSTANCES variants, in four
# environments.

# plan_manifest DIR INSTANCES
plan_manifest() {
    mkdir -p "$1/dist"
    printf '<!doctype html><title>bench</title>\n' >"$1/dist/index.html"
    awk -v instances="$2" '
        function static(name, platform, more) {
            printf "  %s:\n    branch: %s\n    static: { platform: %s, name: \"%s-{app}-{instance}\"%s }\n",
                name, name, platform, substr(name, 1, 1), more
            printf "    service: { platform: render, name: \"%s-{app}-{instance}\", " \
                "token: $RENDER_API_KEY, repository: github.com/bench/bench }\n", name
        }
        BEGIN {
            print "project: bench\napps:"
            for (i = 1; i <= instances; i++)
                list = list (i > 1 ? ", " : "") "i" i
            for (a = 1; a <= 20; a++)
                printf "  web%d:\n    kind: static\n    instances: [%s]\n", a, list
            for (a = 1; a <= 5; a++)
                printf "  api%d:\n    kind: service\n    port: 8080\n    health: /health\n" \
                    "    instances: [%s]\n", a, list
            print "environments:"
            static("uat", "cloudflare-pages",
                ", account: $CLOUDFLARE_ACCOUNT_ID, token: $CLOUDFLARE_API_TOKEN")
            static("beta", "netlify", ", token: $NETLIFY_AUTH_TOKEN")
            static("preprod", "vercel", ", team: $VERCEL_ORG_ID, token: $VERCEL_TOKEN")
            static("load", "netlify", ", token: $NETLIFY_AUTH_TOKEN")
        }' >"$1/trine.yaml"
}

# plan_once FILE DIR
plan_once() {
    rm -rf "$work/state"
    measured "$1" build/trine plan -f "$2/trine.yaml" --commit "$commit" --state "$work/state" \
        --env-file examples/weedgo/sim.env
}

bench_plan() {
    plan_manifest "$work/half" 50
    plan_manifest "$work/whole" 100
    for _ in 1 2 3 4 5; do
        plan_once "$work/plan.half" "$work/half" || { did_not trine && break; }
        plan_once "$work/plan.whole" "$work/whole" || { did_not trine && break; }
    done
    half=$(median "$work/plan.half" wall_s)
    whole=$(median "$work/plan.whole" wall_s)
    row plan-10000 s "$whole" null '' '< 0.5'
    row plan-10000-memory MiB "$(median "$work/plan.whole" rss_mib)" null '' ''
    row plan-10000-growth 'x' "$(jq -n "if $half then $whole / $half else null end")" null '' '< 2.6'
}
