#!/bin/sh
# The platforms' own clients deploy a site to the simulator, which then serves it byte for byte. This
# keeps the simulator honest: what trine is rehearsed against is what the platforms' makers speak.
#
# TRINE_CLIENTS names the folder that holds the clients (see clients.sh); skipped without it.
# usage: [TRINE_CLIENTS=DIR] tests/flow/40-official-clients.sh [TRINE TRINE-SIM]
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
trine_sim=$(realpath "${2:-$here/build/trine-sim}")
cd "$here"
. tests/flow/clients.sh

skip_all() {
    printf '1..0 # SKIP %s\n' "$1"
    exit 0
}

[ -n "${TRINE_CLIENTS:-}" ] || skip_all "TRINE_CLIENTS names no folder with the platforms' clients"
clients_find "$TRINE_CLIENTS"
[ -n "$client_node" ] || skip_all "no Node.js of version 22 or later in $TRINE_CLIENTS or PATH"
for tool in curl jq; do
    command -v "$tool" >/dev/null || skip_all "$tool is not installed"
done

work=$(mktemp -d)
simulator=''
finish() {
    [ -z "$simulator" ] || kill "$simulator" 2>/dev/null || true
    [ -z "$simulator" ] || wait "$simulator" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

# --- TAP: one point a line -----------------------------------------------------------------------

tests=0

# point OUTCOME NAME: OUTCOME is 0 when it held
point() {
    tests=$((tests + 1))
    if [ "$1" -eq 0 ]; then
        printf 'ok %d - %s\n' "$tests" "$2"
    else
        printf 'not ok %d - %s\n' "$tests" "$2"
    fi
}

told() {
    sed 's/^/# /' "$1"
}

# --- The simulator -------------------------------------------------------------------------------

start_simulator() {
    mkdir "$work/simulator"
    "$trine_sim" --listen 127.0.0.1:0 --state "$work/simulator" >"$work/bases.json" \
        2>"$work/simulator.log" &
    simulator=$!
    until grep -q '^{.*}$' "$work/bases.json"; do
        kill -0 "$simulator" 2>/dev/null || {
            told "$work/simulator.log"
            printf 'Bail out! the simulator did not start\n'
            exit 1
        }
        sleep 0.05
    done
    control=$(jq -r .control "$work/bases.json")
    # Names and values are made up and published with the example.
    # shellcheck source=/dev/null
    . examples/weedgo/sim.env
}

# base PLATFORM
base() {
    jq -r --arg name "$1" '.bases[$name]' "$work/bases.json"
}

# --- The site ------------------------------------------------------------------------------------

# Names and contents that a client or a server could trip over.
make_site() {
    site=$work/site
    mkdir -p "$site/assets" "$site/docs" "$site/a folder" "$site/.well-known"
    printf '<!doctype html><title>home</title>\n' >"$site/index.html"
    printf '<!doctype html><title>about</title>\n' >"$site/about.html"
    printf '<!doctype html><title>docs</title>\n' >"$site/docs/index.html"
    printf '<!doctype html><title>not here</title>\n' >"$site/404.html"
    printf 'spaces\n' >"$site/with two spaces.txt"
    printf 'deeper\n' >"$site/a folder/and a file.txt"
    printf 'Gr\303\274\303\237e\n' >"$site/$(printf 'gr\303\274\303\237e').txt"
    printf 'tokyo\n' >"$site/assets/$(printf '\346\235\261\344\272\254').svg"
    printf 'plus and ampersand\n' >"$site/a+b&c.txt"
    printf 'percent\n' >"$site/100%.txt"
    printf "quote and comma\n" >"$site/it's, really.txt"
    printf 'brackets\n' >"$site/assets/[slug](1).js"
    printf 'at and tilde\n' >"$site/assets/logo@2x~.css"
    printf 'equals; semicolon\n' >"$site/assets/k=v;w.js"
    printf '{"app": "example"}\n' >"$site/.well-known/example.json"
    : >"$site/empty.txt"
    : >"$site/assets/empty.js"
    : >"$site/assets/empty.css"
    printf 'the same\n' >"$site/same-1.txt"
    printf 'the same\n' >"$site/same-2.txt"
    printf 'the same\n' >"$site/assets/same-3.js"
    printf 'no ending\n' >"$site/LICENSE"
    printf '\000\001\377\376\r\n' >"$site/assets/binary.bin"
    head -c 300000 "$trine_sim" >"$site/assets/large.wasm"
    head -c 65536 "$trine_sim" >"$site/assets/exactly-64k.woff2"
    head -c 65537 "$trine_sim" >"$site/assets/over-64k.woff2"
    printf 'user-agent: *\n' >"$site/robots.txt"
    printf '/assets/*\n  X-Example: yes\n' >"$site/_headers"
    printf '/old /about 301\n' >"$site/_redirects"
    (cd "$site" && find . -type f | LC_ALL=C sort) >"$work/files"
}

# fetch URL PATH: the file as a browser would get it, redirects to the pretty address followed
fetch() {
    fetch_host=${1#http://}
    fetch_path=$(printf '%s' "$2" | jq -sRr 'split("/") | map(@uri) | join("/")')
    curl -sS -L --max-redirs 3 --connect-to "::127.0.0.1:${fetch_host##*:}" -o "$work/got" \
        -D "$work/head" -w '%{http_code}' "$1$fetch_path"
}

# serves_the_site URL HIDDEN: every file but those that HIDDEN (an expression) names, byte for byte
serves_the_site() {
    failures=0
    compared=0
    while IFS= read -r file; do
        ! printf '%s' "$file" | grep -Eq "$2" || continue
        status=$(fetch "$1" "${file#.}") || status='no answer'
        compared=$((compared + 1))
        if [ "$status" != 200 ] || ! cmp -s "$site/$file" "$work/got"; then
            printf '# %s: %s, %d bytes instead of %d\n' "$file" "$status" \
                "$(wc -c <"$work/got")" "$(wc -c <"$site/$file")"
            failures=$((failures + 1))
        fi
    done <"$work/files"
    [ "$failures" -eq 0 ] && [ "$compared" -ge 25 ]
}

# site_url HOST: where the simulator serves it
site_url() {
    curl -sS "$control/sites" | jq -r --arg host "$1" '.[] | select(.host == $host) | .url'
}

# --- A client at work ----------------------------------------------------------------------------

# What the platform's API answered with an error, to explain a client that failed.
explain() {
    told "$work/out"
    curl -sS "$control/requests?follow=0" |
        jq -r --arg platform "$1" 'select(.platform == $platform) | "# \(.status) \(.method) \(.path)"' |
        tail -15
}

# deployed PLATFORM CLIENT HOST HIDDEN RULES: the points about a site that a client has sent
deployed() {
    url=$(site_url "$3")
    if [ -z "$url" ]; then
        point 1 "$2: the simulator has a site at $3"
        curl -sS "$control/sites" | jq -r '.[] | "# \(.platform) \(.host)"'
        return 0
    fi
    held=0
    serves_the_site "$url" "$4" || held=1
    point "$held" "$2: every file is served byte for byte"
    [ "$5" = rules ] || return 0
    fetch "$url" /assets/large.wasm >/dev/null && grep -qi '^x-example: yes' "$work/head" && held=0 || held=1
    point "$held" "$2: _headers are applied"
    fetch "$url" /old >/dev/null && cmp -s "$site/about.html" "$work/got" && held=0 || held=1
    point "$held" "$2: _redirects are followed"
    [ "$(fetch "$url" /_headers)" = 404 ] && held=0 || held=1
    point "$held" "$2: _headers itself is not shown"
}

# ran PLATFORM NAME STATUS
ran() {
    [ "$3" -eq 0 ] || explain "$1"
    point "$3" "$2"
}

with_wrangler() {
    mkdir "$work/wrangler"
    to=$(base cloudflare-pages)
    status=0
    run_wrangler "$work/wrangler" "$to" pages project create example --production-branch main \
        >"$work/out" 2>&1 || status=$?
    ran cloudflare-pages "wrangler makes a project" "$status"
    status=0
    run_wrangler "$work/wrangler" "$to" pages deploy "$site" --project-name example --branch main \
        >"$work/out" 2>&1 || status=$?
    ran cloudflare-pages "wrangler deploys" "$status"
    deployed cloudflare-pages wrangler example.pages.localhost '^\./_(headers|redirects)$' rules
}

with_netlify() {
    mkdir "$work/netlify"
    to=$(base netlify)
    status=0
    run_netlify "$work/netlify" "$to" api createSite --data '{"body": {"name": "example"}}' \
        >"$work/out" 2>&1 || status=$?
    ran netlify "netlify-cli makes a site" "$status"
    status=0
    run_netlify "$work/netlify" "$to" deploy --dir "$site" --no-build --prod --json --site example \
        >"$work/out" 2>&1 || status=$?
    ran netlify "netlify-cli deploys" "$status"
    deployed netlify netlify-cli example.netlify.localhost '^\./_(headers|redirects)$' rules
}

# Vercel has no _headers and no _redirects: to it they are files like any other.
with_vercel() {
    mkdir "$work/vercel"
    cp -R "$site" "$work/vercel/example"
    status=0
    run_vercel "$work/vercel" "$(base vercel)" deploy "$work/vercel/example" --prod --yes \
        --scope "$VERCEL_ORG_ID" >"$work/out" 2>&1 || status=$?
    ran vercel "vercel deploys" "$status"
    deployed vercel vercel example.vercel.localhost '^$' files
}

start_simulator
make_site
for client in wrangler netlify vercel; do
    eval "found=\$client_$client"
    if [ -n "$found" ]; then
        "with_$client"
    else
        tests=$((tests + 1))
        printf 'ok %d - %s # SKIP it is not in %s\n' "$tests" "$client" "$TRINE_CLIENTS"
    fi
done
printf '1..%d\n' "$tests"
