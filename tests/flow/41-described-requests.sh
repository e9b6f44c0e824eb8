#!/bin/sh
# Every request of a whole run of 45 deployments, as the simulator received it, is one that the platforms'
# published descriptions know. TRINE_SPECS names the folder of descriptions.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

validator=$here/../contract/validate.mjs
[ -n "${TRINE_SPECS:-}" ] || skip_all 'the folder of API descriptions is not given (script/test --specs DIR)'
command -v node >/dev/null 2>&1 || skip_all 'no node'
[ -d "$here/../contract/node_modules" ] || skip_all 'the packages of tests/contract are not installed'

credentials
start_sim
forty_five
deploy
is 'deploy ends with 0' "$status" 0
is 'all of it is live' "$(live)" 45
curl -fsS --max-time 20 "$control/requests?follow=0" >requests.jsonl
node "$validator" --specs "$TRINE_SPECS" <requests.jsonl >answers 2>err
status=$?
cp answers out
is 'the validator ends with 0' "$status" 0
is 'no request is unknown to a description' "$(grep -c '^not ok' answers)" 0
check 'and each of the five described platforms was asked' \
    sh -c 'for p in koyeb render railway expo netlify; do grep -q "^ok [0-9]* - $p " answers || exit 1; done'
finish
