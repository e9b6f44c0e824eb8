# shellcheck shell=sh disable=SC2034
# What the parts of script/bench share: a folder of its own, the simulator, measuring, rows. Sourced by
# it, behind script/lib.sh and tests/flow/clients.sh.

root=$(pwd)
commit=0123456789abcdef0123456789abcdef01234567

bench_begin() {
    clients_find "$1"
    work=$(mktemp -d)
    rows=$work/rows
    simulator=''
    : >"$rows"
    trap bench_end EXIT
    trap 'exit 130' INT TERM
    # Names and values are made up and published with the example.
    # shellcheck source=/dev/null
    . examples/weedgo/sim.env
}

bench_end() {
    simulator_stop
    rm -rf "$work"
}

# --- The simulator -------------------------------------------------------------------------------

# simulator_start [OPTION...]: a fresh one, at its usual clock rate and without latency unless told
simulator_start() {
    rm -rf "$work/simulator"
    mkdir "$work/simulator"
    : >"$work/bases.json"
    build/trine-sim --listen 127.0.0.1:0 --state "$work/simulator" "$@" >"$work/bases.json" \
        2>"$work/simulator.log" &
    simulator=$!
    until grep -q '^{.*}$' "$work/bases.json"; do
        kill -0 "$simulator" 2>/dev/null || {
            say "the simulator did not start:" "$(cat "$work/simulator.log")"
            exit 1
        }
        sleep 0.02
    done
}

simulator_stop() {
    [ -n "$simulator" ] || return 0
    kill "$simulator" 2>/dev/null || true
    wait "$simulator" 2>/dev/null || true
    simulator=''
}

# base PLATFORM
base() {
    jq -r --arg name "$1" '.bases[$name]' "$work/bases.json"
}

# books FILTER: a value of the simulator's own books
books() {
    curl -fsS "$(jq -r .control "$work/bases.json")/books" | jq "$1"
}

# --- Measuring -----------------------------------------------------------------------------------

# measured FILE COMMAND...: runs it and appends what it took to FILE; fails as the command did
measured() {
    measured_to=$1
    shift
    measure="$root/build/tests/bench/measure -o $work/one"
    case $1 in
    run_*) # a client's function starts the measuring itself, inside of its own folder
        client_measure=$measure
        "$@" >"$work/out" 2>&1 || return 1
        ;;
    *)
        # shellcheck disable=SC2086
        $measure "$@" >"$work/out" 2>&1 || return 1
        ;;
    esac
    [ "$(jq .status "$work/one")" -eq 0 ] || return 1
    cat "$work/one" >>"$measured_to"
}

# did_not WHO: says why a measured command failed
did_not() {
    say "$1 did not do it:"
    tail -n 15 "$work/out" >&2
}

# median FILE KEY: null when nothing was measured
median() {
    [ -f "$1" ] || { echo null && return 0; }
    jq -s --arg key "$2" 'map(.[$key]) | sort | .[length / 2 | floor]' "$1"
}

# --- Rows ----------------------------------------------------------------------------------------

# row NAME UNIT OURS THEIRS PEER BOUND: OURS, THEIRS are numbers or null; PEER names what THEIRS was
# measured with, "" when there is none. BOUND is one of
#     "at least N x"   of ratio, which is theirs / ours
#     "< N"  "> N"  "= N"     of ours
#     ""               shown only
row() {
    jq -cn --arg name "$1" --arg unit "$2" --argjson ours "$3" --argjson theirs "$4" --arg peer "$5" \
        --arg bound "$6" '
        def round_to(digits): if . == null then . else
            (if . == 0 then 0 else log10 | floor end) as $size |
            pow(10; digits - 1 - $size) as $scale | . * $scale | round / $scale end;
        (if $ours and $theirs and $ours > 0 then $theirs / $ours else null end) as $ratio |
        ($bound | [scan("[0-9.]+")] | .[0] // "0" | tonumber) as $limit |
        {$name, ours: ($ours | round_to(3)), theirs: ($theirs | round_to(3)),
         peer: (if $theirs == null then null else $peer end), $unit, ratio: ($ratio | round_to(3)),
         bound: (if $bound == "" then null else $bound end),
         holds: (if $bound == "" then null
                 elif ($bound | startswith("at least")) then
                     (if $ratio == null then null else $ratio >= $limit end)
                 elif $ours == null then null
                 elif ($bound | startswith("<")) then $ours < $limit
                 elif ($bound | startswith(">")) then $ours > $limit
                 else $ours == $limit end)}' >>"$rows"
}

table() {
    jq -r 'def text: if . == null then "-" else tostring end;
        [.name, (.ours | text), (.theirs | text), .unit, (.ratio | if . then "\(.) x" else "-" end),
         (.bound | text), (if .holds == null then (if .bound then "not judged" else "" end)
                           elif .holds then "holds" else "DOES NOT HOLD" end), (.peer // "")] | @tsv' \
        "$rows" |
        awk -F '\t' '
            BEGIN { print_row("", "ours", "theirs", "unit", "ratio", "bound", "", "peer") }
            { print_row($1, $2, $3, $4, $5, $6, $7, $8) }
            function print_row(name, ours, theirs, unit, ratio, bound, holds, peer) {
                line = sprintf("%-27s %9s %9s  %-8s %9s  %-14s %-14s %s", name, ours, theirs, unit,
                               ratio, bound, holds, peer)
                sub(/ +$/, "", line)
                print line
            }'
    jq -rs '[.[] | select(.bound)] | "\(map(select(.holds == true)) | length) hold, " +
        "\(map(select(.holds == false)) | length) do not, \(map(select(.holds == null)) | length) " +
        "not judged"' "$rows"
}
