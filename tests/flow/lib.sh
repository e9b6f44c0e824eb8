# Sourced by every flow test:  . "$(dirname "$0")/lib.sh"
#
# A flow test is a TAP program that runs the real programs:  NN-what.sh TRINE TRINE_SIM
# Its first digit says which stage it is about (1 manifest, 2 store, 3 deploy, 4 official clients,
# 5 probe, 6 compare, 7 faults, 8 secrets). Each has a folder and a simulator of its own; both are gone when
# it ends (TRINE_KEEP=1 leaves the folder). It waits for conditions, never for times, and every wait ends.
# shellcheck shell=sh disable=SC2034

set -u
program=${1:?usage: NN-what.sh TRINE TRINE_SIM}
simulator=${2:?usage: NN-what.sh TRINE TRINE_SIM}
program=$(realpath "$program") simulator=$(realpath "$simulator") # tests change their folder
here=$(cd "$(dirname "$0")" && pwd)
example=$here/../../examples/weedgo
work=$(mktemp -d "${TMPDIR:-/tmp}/trine-flow.XXXXXX")
tests=0 bad=0 status=0 sim_pid='' children=''
commit=5eed00000000000000000000000000000000c0de
unset TRINE_STATE TRINE_BASES
export HOME="$work" NO_COLOR=1

clean_up() {
    for pid in $children $sim_pid; do
        kill -9 "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    [ "${TRINE_KEEP:-}" = 1 ] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP PIPE # dash runs no EXIT trap when a signal ends it
cd "$work" || exit 1

# --- TAP ---------------------------------------------------------------------------------------------

# report OK NAME: OK is 0 for good. A failure shows what the last command said.
report() {
    tests=$((tests + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $tests - $2"
        return
    fi
    bad=$((bad + 1))
    echo "not ok $tests - $2"
    echo "# exit status $status"
    for file in out err; do
        [ -s "$work/$file" ] && sed "s/^/# $file: /" "$work/$file" | cut -c1-300 | tail -6
    done
    return 0
}

# check NAME COMMAND...
check() {
    check_name=$1
    shift
    "$@" >"$work/check.out" 2>&1
    check_status=$?
    report "$check_status" "$check_name"
    [ "$check_status" -eq 0 ] || sed 's/^/# /' "$work/check.out" | cut -c1-300 | tail -20
}

# is NAME GOT WANTED
is() {
    [ "$2" = "$3" ]
    is_same=$?
    report "$is_same" "$1"
    [ "$is_same" -eq 0 ] || printf '# got "%s", wanted "%s"\n' "$2" "$3"
}

says() { grep -F -e "$1" "$work/err"; }      # the last command's standard error holds it
prints() { grep -F -e "$1" "$work/out"; }    # its standard output does
nothing() { ! "$@"; }                        # nothing COMMAND: the command must fail

# adopt FILE: another TAP program's tests become ours, with our numbers.
adopt() {
    while read -r line; do
        case $line in
        'ok '*) tests=$((tests + 1)) && echo "ok $tests - ${line#*- }" ;;
        'not ok '*) tests=$((tests + 1)) bad=$((bad + 1)) && echo "not ok $tests - ${line#*- }" ;;
        '#'*) printf '%s\n' "$line" ;;
        esac
    done <"$1"
}

# The test's last line.
finish() {
    echo "1..$tests"
    exit $((bad > 0))
}

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

# --- The programs ------------------------------------------------------------------------------------

# start_sim [OPTION...]: leaves $control, and bases.json for trine.
start_sim() {
    mkdir -p sim
    : >bases.json
    "$simulator" --listen 127.0.0.1:0 --state sim "$@" >bases.json 2>sim.log &
    sim_pid=$!
    until_true 100 grep -q control bases.json || {
        sed 's/^/# /' sim.log
        echo 'Bail out! the simulator does not start'
        exit 1
    }
    control=$(jq -r .control bases.json)
}

# trine ARGUMENT...: one run on $manifest, bounded; leaves out, err and $status.
manifest=trine.yaml
trine() {
    timeout -k 5 "${bound:-60}" "$program" "$@" >out 2>err
    status=$?
}

# t COMMAND...: the same with this test's manifest, state, simulator and credentials.
t() {
    trine "$@" -f "$manifest" --state state --bases bases.json --env-file sim.env
}

deploy() {
    t deploy --commit "$commit" "$@"
}

# begin COMMAND...: as t, in the background; leaves $pid, and bg.out, bg.err.
begin() {
    : >bg.out # at once, or what an earlier one said could be taken for this one's
    : >bg.err
    "$program" "$@" -f "$manifest" --state state --bases bases.json --env-file sim.env \
        >bg.out 2>bg.err &
    pid=$!
    children="$children $pid"
}

# until_true TENTHS COMMAND...: asks ten times a second; 1 when it never came true.
until_true() {
    until_left=$1
    shift
    until "$@" >/dev/null 2>&1; do
        until_left=$((until_left - 1))
        [ "$until_left" -gt 0 ] || return 1
        sleep 0.1
    done
}

# faults RULES: JSON array, in place of those before.
faults() {
    curl -fsS --max-time 10 -d "$1" "$control/faults" >/dev/null
}

books() { # books FILTER: of the simulator's own books
    curl -fsS --max-time 10 "$control/books" >books.json
    jq -r "$1" books.json
}

# How often the platforms were asked to do what must not be done twice, and what they hold.
ledger() {
    books '[.platforms | del(.webhooks) | to_entries[] | {(.key): (.value | {projects, deployments, live, uploads})}] |
        add | tojson'
}

requests() { books '[.platforms[].requests[][]] | add // 0'; }

live() { # deployments that trine knows to be live
    "$program" status --json -q -f "$manifest" --state state 2>/dev/null |
        jq '[.environments[].deployments[] | select(.state == "live")] | length'
}

states() { # their states, each once
    "$program" status --json -q -f "$manifest" --state state 2>/dev/null |
        jq -r '[.environments[].deployments[].state] | unique | join(" ")'
}

# --- Manifests ---------------------------------------------------------------------------------------

# site FOLDER [TEXT]: a small site
site() {
    mkdir -p "$1/assets"
    printf '<!doctype html><title>%s</title>\n' "${2:-a site}" >"$1/index.html"
    printf 'body { color: green }\n' >"$1/assets/main.css"
    printf 'console.log("%s")\n' "${2:-a site}" >"$1/assets/main.js"
}

binding() { # binding PLATFORM: its keys as one flow mapping
    case $1 in
    cloudflare-pages) echo "{ platform: $1, account: \$CLOUDFLARE_ACCOUNT_ID, token: \$CLOUDFLARE_API_TOKEN }" ;;
    netlify) echo "{ platform: $1, token: \$NETLIFY_AUTH_TOKEN, team: weedgo }" ;;
    vercel) echo "{ platform: $1, token: \$VERCEL_TOKEN, team: \$VERCEL_ORG_ID }" ;;
    koyeb) echo "{ platform: $1, token: \$KOYEB_TOKEN, region: was, plan: free, $source }" ;;
    render) echo "{ platform: $1, token: \$RENDER_API_KEY, region: oregon, plan: free, $source }" ;;
    railway) echo "{ platform: $1, token: \$RAILWAY_TOKEN, project: flow, $source }" ;;
    expo) echo "{ platform: $1, token: \$EXPO_TOKEN, app_id: 7b1d6f0a-3c52-4e8e-9a41-5d0f2c9e6b13 }" ;;
    esac
}
source='repository: github.com/weedgo/weedgo, dockerfile: Dockerfile'

# one_site PLATFORM: a manifest with one static deployment there, "flow-uat-web", of folder web/dist
one_site() {
    site web/dist "$1"
    cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web }
environments:
  uat: { branch: develop, static: $(binding "$1") }
END
}

# forty_five: the first team's shape without its builds: 15 apps in three environments, 45 deployments
forty_five() {
    for app in shop admin chat; do
        site $app/dist $app
    done
    mkdir -p api phone
    cat >trine.yaml <<END
project: flow
apps:
  shop: { kind: static, path: shop, instances: [one, two, three] }
  admin: { kind: static, path: admin }
  chat: { kind: static, path: chat, instances: [a, b, c, d, e, f, g, h] }
  phone: { kind: mobile, path: phone, workflow: "build-{instance}.yml", instances: [ios, android] }
  api: { kind: service, path: api, port: 5024 }
environments:
  uat:
    branch: develop
    static: $(binding cloudflare-pages)
    service: $(binding koyeb)
    mobile: $(binding expo)
  beta:
    branch: staging
    static: $(binding netlify)
    service: $(binding render)
    mobile: $(binding expo)
  preprod:
    branch: release
    static: $(binding vercel)
    service: $(binding railway)
    mobile: $(binding expo)
END
}

credentials() { # the simulator's made-up ones
    cp "$example/sim.env" sim.env
}
