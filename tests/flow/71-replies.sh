#!/bin/sh
# Each way in which a platform's answer can be bad, one by one, on one static deployment: the right reaction,
# the right exit status, a true journal; and once it is over a run ends live with nothing there twice.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

credentials
start_sim

fresh() { # as on the first day
    rm -rf state
    curl -fsS --max-time 10 -X POST "$control/reset" >/dev/null
}

# Asked again it is all well: live, with one project and one deployment.
well_again() {
    faults '[]'
    deploy
    is "$1: afterwards a run ends with 0" "$status" 0
    is "$1: and it is live" "$(states)" live
    is "$1: one project, one deployment" \
        "$(books ".platforms[\"$platform\"] | [.projects, .deployments] | tojson")" '[1,1]'
}

# passes NAME RULE: the run gets over it by itself
passes() {
    fresh
    faults "[$2]"
    deploy
    is "$platform, $1: the run ends with 0" "$status" 0
    well_again "$platform, $1"
}

# fails NAME RULE WORDS [STATE]: the run ends with 3 and says WORDS; the journal says STATE
fails() {
    fresh
    faults "[$2]"
    deploy
    is "$platform, $1: the run ends with 3" "$status" 3
    check "$platform, $1: says $3" says "$3"
    is "$platform, $1: the journal says ${4:-failed}" "$(states)" "${4:-failed}"
    well_again "$platform, $1"
}

# What passes: the request is sent again, or looked for first when it must not happen twice. `times` is for
# every request that matches; "after" lets the first ones through, so that later steps are hit as well.
for platform in cloudflare-pages netlify vercel; do
    one_site $platform
    p="\"platform\": \"$platform\""
    for after in 1 3; do
        passes "garbage from request $after on" "{$p, \"garbage\": true, \"times\": 2, \"after\": $after}"
        passes "closed before, $after" "{$p, \"close\": \"before\", \"times\": 2, \"after\": $after}"
        passes "closed after, $after" "{$p, \"close\": \"after\", \"times\": 2, \"after\": $after}"
        passes "cut in half, $after" "{$p, \"truncate\": true, \"times\": 2, \"after\": $after}"
        passes "503, $after" "{$p, \"status\": 503, \"times\": 2, \"after\": $after}"
    done
    passes '500' "{$p, \"status\": 500, \"times\": 2, \"after\": 1}"
    passes 'an endless answer' "{$p, \"endless\": true, \"times\": 1, \"after\": 1}"
    passes '429 with Retry-After' "{$p, \"status\": 429, \"retry_after\": 5, \"times\": 3, \"after\": 1}"
    passes '429 without' "{$p, \"status\": 429, \"times\": 2}"
    passes 'a slow answer' "{$p, \"slow_body\": 2000, \"times\": 2}"

    # What does not: the platform's own message, and nothing is tried for ever.
    fails '401' "{$p, \"status\": 401}" 'token'
    fails '403' "{$p, \"status\": 403}" 'token'
done

# What takes its time, each on one platform only.
platform=netlify
one_site $platform
p="\"platform\": \"$platform\""
passes 'a stall' "{$p, \"stall\": true, \"times\": 1, \"after\": 1}"
fails '500 without end' "{$p, \"status\": 500}" 'Netlify: answered 500' running
fails '404 on the list' "{$p, \"method\": \"GET\", \"path\": \"/sites\", \"status\": 404}" 'Netlify: answered 404'
fails '409 on the creation' "{$p, \"method\": \"POST\", \"path\": \"/weedgo/sites\", \"status\": 409}" \
    'Netlify: answered 409'
fails '422 on the creation' "{$p, \"method\": \"POST\", \"path\": \"/weedgo/sites\", \"status\": 422}" 'choose another'

# --- A word that nobody has heard of is no success ---------------------------------------------------
kill "$sim_pid"
wait "$sim_pid"
rm -rf sim state
start_sim --clock-rate 5000 # so that the platform's half hour is soon over
for platform in cloudflare-pages netlify vercel; do
    one_site $platform
    fails 'an unknown status word' "{\"platform\": \"$platform\", \"unknown_status\": \"unheard-of\"}" \
        'unheard-of"; run the same command again' running
done
finish
