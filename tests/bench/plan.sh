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

# plan_folders DIR APPS: as many deployments, of web apps that have a folder each
plan_folders() {
    mkdir -p "$1"
    awk -v apps="$2" '
        BEGIN {
            print "project: bench\napps:"
            for (a = 1; a <= apps; a++)
                printf "  web%d: { kind: static, path: web%d }\n", a, a
            print "environments:"
            split("uat beta preprod load", names, " ")
            for (i = 1; i <= 4; i++)
                printf "  %s:\n    branch: %s\n    static: { platform: netlify, " \
                    "name: \"%s-{app}\", token: $NETLIFY_AUTH_TOKEN }\n", names[i], names[i], names[i]
        }' >"$1/trine.yaml"
    for app in $(seq "$2"); do
        mkdir -p "$1/web$app/dist"
        echo "$app" >"$1/web$app/dist/index.html"
    done
}

# plan_pair KIND: times $work/KIND.half and KIND.whole, which hold 5,000 and 10,000 deployments
plan_pair() {
    for _ in 1 2 3 4 5; do
        plan_once "$work/$1.half.took" "$work/$1.half" || { did_not trine && return 0; }
        plan_once "$work/$1.whole.took" "$work/$1.whole" || { did_not trine && return 0; }
    done
}

# plan_growth KIND: how much longer the whole takes than the half, in CPU time, which others on the
# machine move less
plan_growth() {
    half=$(median "$work/$1.half.took" cpu_s)
    whole=$(median "$work/$1.whole.took" cpu_s)
    jq -n "if $half then $whole / $half else null end"
}

bench_plan() {
    plan_manifest "$work/variants.half" 50
    plan_manifest "$work/variants.whole" 100
    plan_folders "$work/folders.half" 1250
    plan_folders "$work/folders.whole" 2500
    plan_pair variants
    plan_pair folders
    row plan-10000 s "$(median "$work/variants.whole.took" wall_s)" null '' '< 0.5'
    row plan-10000-cpu s "$(median "$work/variants.whole.took" cpu_s)" null '' ''
    row plan-10000-memory MiB "$(median "$work/variants.whole.took" rss_mib)" null '' ''
    row plan-10000-growth x "$(plan_growth variants)" null '' '< 2.6'
    row plan-10000-folders s "$(median "$work/folders.whole.took" wall_s)" null '' ''
    row plan-10000-folders-cpu s "$(median "$work/folders.whole.took" cpu_s)" null '' ''
    row plan-10000-folders-growth x "$(plan_growth folders)" null '' '< 2.6'
}
