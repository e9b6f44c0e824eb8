#!/bin/sh
# The command line: help, manual page, completion, suggestions, exit codes, what -n leaves alone.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

commands=$("$program" --help | sed -n 's/^ \{2,\}\([a-z]*\) .*/\1/p' |
    grep -Ex 'init|validate|plan|deploy|status|releases|probe|compare|report|completion|man|schema')

# --- Help --------------------------------------------------------------------------------------------
is 'help lists the twelve commands' "$(echo "$commands" | sort -u | wc -l)" 12
trine --help
is 'help ends with 0' "$status" 0
for command in $commands; do
    trine "$command" --help
    is "trine $command --help ends with 0" "$status" 0
    check "and says how it is used" prints "trine $command"
done
trine
is 'no command: exit status 2' "$status" 2
trine --version
check 'the version' prints 'trine 0'

# --- Manual page and completion ----------------------------------------------------------------------
trine man
is 'the manual page ends with 0' "$status" 0
for command in $commands; do
    check "the manual page tells of $command" grep -q "$command" out
done
if command -v mandoc >/dev/null; then
    check 'mandoc has nothing against the manual page' mandoc -Tlint -W warning out
fi
for shell in bash zsh fish; do
    trine completion $shell
    is "completion $shell ends with 0" "$status" 0
    check "and is not empty" test -s out
    command -v $shell >/dev/null && check "$shell can read it" $shell -n out
done
trine completion tcsh
is 'a shell that is not known: exit status 2' "$status" 2
trine completion
is 'no shell: exit status 2' "$status" 2
trine schema
check 'the schema is JSON' jq -e '.properties.apps' out

# For those who work on trine: there, and not in the way.
trine failover-table
check 'the failover table is a graph' prints 'digraph failover'
if command -v dot >/dev/null; then
    check 'and dot draws it' dot -Tsvg -o failover.svg out
    words_of() { sed -n 's/.*<text[^>]*>\(.*\)<\/text>.*/\1/p' "$1" | sort; }
    is 'as it is in docs/' "$(words_of failover.svg)" "$(words_of "$here/../../docs/failover.svg")"
fi
for words in --help man 'completion bash'; do
    # shellcheck disable=SC2086
    trine $words
    check "trine $words does not list it" nothing prints failover-table
done

# --- Mistakes ----------------------------------------------------------------------------------------
# wrong WORDS TEXT: ends with 2 and says TEXT
wrong() {
    # shellcheck disable=SC2086
    trine $1
    is "trine $1: exit status 2" "$status" 2
    check "and says $2" says "$2"
    is 'and nothing on standard output' "$(wc -c <out)" 0
}
wrong 'deplyo' 'did you mean deploy'
wrong 'deploy --enviroment uat' 'did you mean --environment'
wrong 'deploy -x' 'unknown option -x'
wrong 'deploy extra' 'extra'
wrong 'plan --force' 'takes no --force'
wrong 'probe --every never' 'give a span'
wrong 'probe --count 0' 'whole number'
wrong 'deploy -f' 'needs a value'
wrong 'deploy --json=yes' 'takes no value'

# --- init --------------------------------------------------------------------------------------------
mkdir -p new/shop new/api
printf '{"name":"shop","devDependencies":{"vite":"5"}}' >new/shop/package.json
printf 'FROM scratch\n' >new/api/Dockerfile
(cd new && "$program" init -n) >out 2>err
check 'init -n prints the manifest' prints 'kind: static'
check 'and writes nothing' test ! -e new/trine.yaml
(cd new && "$program" init) >out 2>err
status=$?
is 'init ends with 0' "$status" 0
trine validate -f new/trine.yaml
is 'validate accepts what init wrote' "$status" 0
cp new/trine.yaml before.yaml
(cd new && "$program" init) >out 2>err
status=$?
is 'init leaves an existing manifest alone: exit status 2' "$status" 2
check 'and says how to write over it' says '--force'
check 'and it is as it was' cmp -s before.yaml new/trine.yaml
mkdir empty
(cd empty && "$program" init) >out 2>err
status=$?
is 'init where no app is: exit status 1' "$status" 1

# --- The normal form parses back to itself -----------------------------------------------------------
trine validate -v -f "$example/trine.yaml"
is 'validate -v ends with 0' "$status" 0
cp out normal.yaml
trine validate -v -f normal.yaml
check 'the normal form is its own normal form' cmp normal.yaml out

# --- -n does nothing ---------------------------------------------------------------------------------
credentials
start_sim
one_site netlify
deploy -n
is 'deploy -n ends with 0' "$status" 0
check 'and tells what it would do' prints create
is 'and asks no platform' "$(requests)" 0
t status --json -q
is 'and records nothing' "$(jq -r '.environments[0].deployments[0].state' out)" absent
is 'status of what is not live: exit status 1' "$status" 1
t plan --json --commit "$commit"
is 'plan ends with 0' "$status" 0
is 'plan --json counts' "$(jq -c .counts out)" '{"create":1,"change":0,"nothing":0,"cannot":0}'
is 'and without checks no price of checking' "$(jq -c .checking out)" '[]'
cp trine.yaml unchecked.yaml
echo 'checks: { home: { path: /, every: 5m } }' >>trine.yaml
t plan --json --commit "$commit"
is 'a check has a price' "$(jq -c '.checking[0] | [.route, .platform, .requests, .of, .share < 0.01]' out)" \
    '[null,"netlify",8760,"credit",true]'
mv unchecked.yaml trine.yaml
rm -r web
t plan --commit "$commit"
is 'plan of what cannot be done: exit status 1' "$status" 1
deploy
is 'deploy of what cannot be done: exit status 1' "$status" 1
check 'which says why' says 'web/dist'
is 'still no platform was asked' "$(requests)" 0

# --- Exit codes --------------------------------------------------------------------------------------
one_site netlify
printf '{"bases":{"netlify":"http://127.0.0.1:1/api/v1"},"clock_rate":100000}' >nowhere.json
trine status --state /proc/nowhere -f trine.yaml
is 'a state folder that cannot be made: exit status 4' "$status" 4
deploy --commit xyz
is 'a commit that is none: exit status 2' "$status" 2
trine deploy --bases missing.json -f trine.yaml --env-file sim.env --commit "$commit" --state state
is 'a bases file that is not there: exit status 2' "$status" 2
check 'which is named' says missing.json
finish
