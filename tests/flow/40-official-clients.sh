#!/bin/sh
# The platforms' own clients deploy a site to the simulator, which then serves it byte for byte. This
# keeps the simulator honest: what trine is rehearsed against is what the platforms' makers speak.
# TRINE_CLIENTS names the folder that holds the clients (see clients.sh); skipped without it.
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317 # the clients are called by name
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=clients.sh
. "$here/clients.sh"

[ -n "${TRINE_CLIENTS:-}" ] || skip_all "TRINE_CLIENTS names no folder with the platforms' clients"
clients_find "$TRINE_CLIENTS"
[ -n "$client_node" ] || skip_all "no Node.js of version 22 or later in $TRINE_CLIENTS or PATH"

# --- The site ------------------------------------------------------------------------------------

# Names and contents that a client or a server could trip over.
make_site() {
    mkdir -p site/assets site/docs 'site/a folder' site/.well-known
    printf '<!doctype html><title>home</title>\n' >site/index.html
    printf '<!doctype html><title>about</title>\n' >site/about.html
    printf '<!doctype html><title>docs</title>\n' >site/docs/index.html
    printf '<!doctype html><title>not here</title>\n' >site/404.html
    printf 'spaces\n' >'site/with two spaces.txt'
    printf 'deeper\n' >'site/a folder/and a file.txt'
    printf 'Gr\303\274\303\237e\n' >"site/$(printf 'gr\303\274\303\237e').txt"
    printf 'tokyo\n' >"site/assets/$(printf '\346\235\261\344\272\254').svg"
    printf 'plus and ampersand\n' >'site/a+b&c.txt'
    printf 'percent\n' >'site/100%.txt'
    printf 'quote and comma\n' >"site/it's, really.txt"
    printf 'brackets\n' >'site/assets/[slug](1).js'
    printf 'at and tilde\n' >site/assets/logo@2x~.css
    printf 'equals and semicolon\n' >'site/assets/k=v;w.js'
    printf '{"app": "example"}\n' >site/.well-known/example.json
    for empty in empty.txt assets/empty.js assets/empty.css; do
        : >"site/$empty"
    done
    for same in same-1.txt same-2.txt assets/same-3.js; do
        printf 'the same\n' >"site/$same"
    done
    printf 'no ending\n' >site/LICENSE
    printf '\000\001\377\376\r\n' >site/assets/binary.bin
    head -c 300000 "$simulator" >site/assets/large.wasm
    head -c 65536 "$simulator" >site/assets/exactly-64k.woff2
    head -c 65537 "$simulator" >site/assets/over-64k.woff2
    printf 'user-agent: *\n' >site/robots.txt
    printf '/assets/*\n  X-Example: yes\n' >site/_headers
    printf '/old /about 301\n' >site/_redirects
    (cd site && find . -type f | LC_ALL=C sort) >files
}

# --- What the simulator serves -------------------------------------------------------------------

# fetch URL PATH: leaves `got` and `head`, prints the status; redirects are followed, as a browser does
fetch() {
    fetch_path=$(printf '%s' "$2" | jq -sRr 'split("/") | map(@uri) | join("/")')
    curl -sS --max-time 10 -L --max-redirs 3 --connect-to "::127.0.0.1:${1##*:}" -o got -D head \
        -w '%{http_code}' "$1$fetch_path"
}

# serves_all HIDDEN: every file but those that HIDDEN (an expression) names, byte for byte
serves_all() {
    wrong=0
    compared=0
    while IFS= read -r file; do
        ! printf '%s' "$file" | grep -Eq "$1" || continue
        code=$(fetch "$url" "${file#.}")
        compared=$((compared + 1))
        if [ "$code" != 200 ] || ! cmp -s "site/$file" got; then
            printf '%s: %s, %d bytes instead of %d\n' "$file" "$code" "$(wc -c <got)" \
                "$(wc -c <"site/$file")"
            wrong=$((wrong + 1))
        fi
    done <files
    echo "$compared compared, $wrong wrong"
    [ "$wrong" -eq 0 ] && [ "$compared" -ge 27 ]
}

applies_headers() {
    fetch "$url" /assets/large.wasm
    grep -i '^x-example: yes' head
}

follows_redirects() {
    fetch "$url" /old
    cmp site/about.html got
}

# served CLIENT HOST HIDDEN: sets url too
served() {
    url=$(curl -sS --max-time 10 "$control/sites" |
        jq -r --arg host "$2" '.[] | select(.host == $host) | .url')
    check "$1: every file is served byte for byte" serves_all "$3"
}

rules_hold() { # CLIENT
    check "$1: _headers are applied" applies_headers
    check "$1: _redirects are followed" follows_redirects
    is "$1: _headers itself is not shown" "$(fetch "$url" /_headers)" 404
}

# --- The clients ---------------------------------------------------------------------------------

base() { # base PLATFORM
    jq -r --arg name "$1" '.bases[$name]' bases.json
}

with_wrangler() {
    at=$(base cloudflare-pages)
    check "wrangler makes a project" run_wrangler "$work/home" "$at" \
        pages project create example --production-branch main
    check "wrangler deploys" run_wrangler "$work/home" "$at" \
        pages deploy "$work/site" --project-name example --branch main
    served wrangler example.pages.localhost '^\./_(headers|redirects)$'
    rules_hold wrangler
}

with_netlify() {
    at=$(base netlify)
    check "netlify-cli makes a site" run_netlify "$work/home" "$at" \
        api createSite --data '{"body": {"name": "example"}}'
    check "netlify-cli deploys" run_netlify "$work/home" "$at" \
        deploy --dir "$work/site" --no-build --prod --json --site example
    served netlify-cli example.netlify.localhost '^\./_(headers|redirects)$'
    rules_hold netlify-cli
}

# Vercel has no _headers and no _redirects: to it they are files like any other.
with_vercel() {
    cp -R site home/example
    check "vercel deploys" run_vercel "$work/home" "$(base vercel)" \
        deploy "$work/home/example" --prod --yes --scope "$VERCEL_ORG_ID"
    served vercel example.vercel.localhost '^$'
}

start_sim --clock-rate 100
credentials
# shellcheck source=/dev/null
. ./sim.env
make_site
mkdir home
for client in wrangler netlify vercel; do
    eval "found=\$client_$client"
    if [ -n "$found" ]; then
        "with_$client"
    else
        tests=$((tests + 1))
        echo "ok $tests - $client # SKIP it is not in $TRINE_CLIENTS"
    fi
done
finish
