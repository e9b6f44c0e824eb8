#!/bin/sh
# The values of secrets appear nowhere: not in any output, not in the state folder, not in reports, not in
# a process's words; also when everything goes wrong.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

start_sim
forty_five
cat >>trine.yaml <<'END'
  own:
    branch: main
    static: { platform: netlify, token: $NETLIFY_AUTH_TOKEN }
    mobile:
      platform: exec
      token: $OWN_TOKEN
      deploy: echo "token $TRINE_TOKEN, database $DATABASE_URL"; echo "told $TRINE_TOKEN" >&2; exit 1
      variables: { DATABASE_URL: $DATABASE_URL }
    service:
      platform: render
      token: $RENDER_API_KEY
      image: registry.example/api
      variables: { DATABASE_URL: $DATABASE_URL }
END
sed -i 's/^  api: .*/  api: { kind: service, path: api, port: 5024, variables: { DATABASE_URL: $DATABASE_URL } }/' \
    trine.yaml
cat >>trine.yaml <<'END'
checks:
  home: { app: "*", path: /, every: 1s }
END

# A canary for every name that the manifest takes; the simulator takes any token of this form.
canaries="sim-cloudflare-canary7f3a1 sim-netlify-canary7f3a2 sim-vercel-canary7f3a3 sim-koyeb-canary7f3a4
    sim-render-canary7f3a5 sim-railway-token-canary7f3a6 sim-expo-canary7f3a7 canary7f3a8-own canary7f3a9"
cat >sim.env <<'END'
CLOUDFLARE_ACCOUNT_ID=5130c0ffee5130c0ffee5130c0ffee51
CLOUDFLARE_API_TOKEN=sim-cloudflare-canary7f3a1
NETLIFY_AUTH_TOKEN='sim-netlify-canary7f3a2'
VERCEL_TOKEN="sim-vercel-canary7f3a3"
VERCEL_ORG_ID=team_simulated0001
KOYEB_TOKEN=sim-koyeb-canary7f3a4
RENDER_API_KEY=sim-render-canary7f3a5
RAILWAY_TOKEN=sim-railway-token-canary7f3a6
EXPO_TOKEN=sim-expo-canary7f3a7
OWN_TOKEN=canary7f3a8-own
DATABASE_URL=postgres://weedgo:canary7f3a9@db.example/shop
END

# Every process's words, again and again. The pattern does not match itself.
watch_words() {
    while :; do
        # shellcheck disable=SC2013 # paths below /proc hold no blanks
        for words in $(grep -al 'canary7[f]3a' /proc/[0-9]*/cmdline 2>/dev/null); do
            tr '\0' ' ' <"$words" >>"$1"
            echo "($words)" >>"$1"
        done
        sleep 0.02
    done
}
: >words
watch_words words 2>/dev/null &
watcher=$!
children="$children $watcher"

keep() { # what the last command said
    n=$((${n:-0} + 1))
    cp out "said.$n.out"
    cp err "said.$n.err"
}

mkdir reports
everything() {
    for command in 'validate -v' 'plan -v -v' 'plan --json' 'deploy -n' 'deploy -v -v' 'deploy --json' 'status -v' \
        'status --json' 'releases -v' 'releases --json' 'probe --for 2s --every 500ms -v' 'compare -v' \
        'compare --json' 'report -o reports'; do
        case $command in
        plan* | deploy*) commit_is="--commit $commit" ;;
        *) commit_is='' ;;
        esac
        # shellcheck disable=SC2086
        t $command $commit_is
        keep
    done
}
faults '[{"probability": 0.05, "mix": true, "seed": 7}]'
everything
commit=c0ffee0000000000000000000000000000000001
faults '[{"status": 401, "probability": 0.2}, {"status": 403, "probability": 0.2}, {"status": 422, "probability": 0.3}]'
t deploy -v -v --commit "$commit"
keep
faults '[]'
t deploy -v -v --commit "$commit"
keep
kill "$watcher"

check 'the commands did say something' test -s said.5.err
check 'and the own command, which told its token, failed' grep -q 'FAILED *own phone.*OWN_TOKEN' said.5.err
is 'no secret in anything that was said' "$(grep -l canary7f3a said.* | tr '\n' ' ')" ''
is 'none in the state folder, its database included' "$(grep -rla canary7f3a state | tr '\n' ' ')" ''
is 'none in the reports' "$(grep -rl canary7f3a reports | tr '\n' ' ')" ''
is "none in a process's words" "$(sort -u words | head -3)" ''
for canary in $canaries; do
    printf '%s' "$canary" | base64 >coded
    is "nor $canary in another coding" "$(grep -rlaF -e "$(sed 's/=*$//' coded)" said.* state reports | tr '\n' ' ')" ''
done
check 'they were really used: the platforms took them' test "$(requests)" -gt 100
finish
