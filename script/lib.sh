# shellcheck shell=sh
# Shared by the scripts beside it: installs what is missing on Debian 12, says what, and does nothing
# the second time. Sourced from the project's root.

say() {
    printf '%s\n' "$*" >&2
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "cannot run '$*': be root, or install sudo"
        exit 1
    fi
}

# need_packages NAME...: Debian packages
need_packages() {
    missing=''
    for package in "$@"; do
        if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing="$missing $package"
        fi
    done
    [ -z "$missing" ] && return 0
    say "installing with apt-get:$missing"
    as_root apt-get update -qq
    # shellcheck disable=SC2086
    without_services as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# without_services COMMAND...: packages that it installs start no daemon (policy-rc.d of Debian's invoke-rc.d);
# a policy that this machine has already is left alone.
without_services() {
    policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
        "$@"
        return
    fi
    (
        trap 'as_root rm -f "$policy"' EXIT
        trap 'exit 1' INT TERM HUP
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        "$@"
    )
}

# need_node: a Node.js of at least version 18 with npm; Debian 12's own will do
need_node() {
    if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 &&
        [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]; then
        return 0
    fi
    need_packages nodejs npm
}

# need_modules FOLDER: the npm packages that its lock file names
need_modules() {
    if [ -f "$1/node_modules/.package-lock.json" ] &&
        [ -z "$(find "$1/package-lock.json" -newer "$1/node_modules/.package-lock.json")" ]; then
        return 0
    fi
    need_node
    say "installing with npm: the packages of $1/package-lock.json"
    (cd "$1" && npm ci --no-audit --no-fund --loglevel=error >&2)
}

build_packages='gcc libc6-dev meson ninja-build pkg-config git ca-certificates libuv1-dev
    libcurl4-openssl-dev libmicrohttpd-dev libfyaml-dev libjansson-dev libsqlite3-dev libssl-dev
    libc-ares-dev libexpat1-dev libldns-dev libpq-dev libhiredis-dev zlib1g-dev libgsl-dev librust-blake3-dev'

# build_in FOLDER [meson options]: configures once, then compiles what has changed
build_in() {
    folder=$1
    shift
    # shellcheck disable=SC2086
    need_packages $build_packages
    # The dashboard, which the program carries in itself; Meson looks for its packages when it configures.
    if [ ! -d web/node_modules ] && [ -f "$folder/build.ninja" ]; then
        need_modules web
        meson setup --reconfigure "$folder" >/dev/null
    fi
    need_modules web
    if [ ! -f "$folder/build.ninja" ]; then
        say "configuring $folder"
        meson setup "$folder" "$@" >/dev/null || { meson setup "$folder" "$@"; exit 1; }
    fi
    say "compiling in $folder"
    ninja -C "$folder" --quiet
}
