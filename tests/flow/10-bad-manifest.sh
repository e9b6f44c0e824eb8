#!/bin/sh
# What is wrong with a manifest is told with its place, and nothing is begun.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

credentials
start_sim
one_site netlify
cp trine.yaml good.yaml

# refused NAME TEXT...: the deploy ends with 2, each TEXT is on standard error, and nothing happened
refused() {
    refused_name=$1
    shift
    rm -rf state
    deploy
    is "$refused_name: exit status 2" "$status" 2
    for text; do
        check "$refused_name: says $text" says "$text"
    done
    is "$refused_name: nothing on standard output" "$(wc -c <out)" 0
    is "$refused_name: no request reached a platform" "$(requests)" 0
    check "$refused_name: no state written" test ! -e state
}

change() { sed "$1" good.yaml >trine.yaml; }

change 's/kind: static/kindd: static/'
refused 'an unknown key' 'trine.yaml:3:10:' 'did you mean "kind"'

change 's/apps:/apps: []/; s/^  web:.*//'
refused 'a wrong type' 'trine.yaml:2:7: apps'

{ cat good.yaml && echo 'targets: { success: 101% }'; } >trine.yaml
refused 'a value out of range' 'trine.yaml:6:21: targets.success' '100%'

change '3p'
refused 'a name that stands twice' 'trine.yaml:4:3: web: stands twice' '3:3'

change 's/branch: develop/branch: develop, env: .env.nowhere/'
refused 'a missing env file' 'trine.yaml:5' '.env.nowhere'

change 's/branch: develop/branch: develop, secrets: [NOT_GIVEN_ANYWHERE]/'
refused 'a missing secret' 'trine.yaml' 'NOT_GIVEN_ANYWHERE'

change 's/^apps:/apps: \&apps/; s/^  web:.*/  web: *apps/'
refused 'an alias inside its own anchor' 'trine.yaml:3:9' 'cycle'

truncate -s 100M trine.yaml
refused 'a manifest of 100 MB' 'trine.yaml'

{ cat good.yaml && printf '# caf\351\n'; } >trine.yaml
refused 'bytes that are no UTF-8' 'trine.yaml:6:6' '0xE9' 'UTF-8'

change 's/platform: netlify/platform: netlifi/'
refused 'an unknown platform' 'trine.yaml:5' 'did you mean'

change 's/kind: static/knd: static/; s/branch: develop/brnch: develop/'
refused 'several mistakes are told at once' 'trine.yaml:3:10' 'trine.yaml:5:10'

rm trine.yaml
refused 'no manifest at all' 'trine.yaml'

cp good.yaml trine.yaml
deploy -e uta
is 'an environment that is not there: exit status 2' "$status" 2
check 'and a suggestion' says 'uat'

is 'to the end no request reached a platform' "$(requests)" 0
finish
