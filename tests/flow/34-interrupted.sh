#!/bin/sh
# Ctrl-C while a platform has done what it was asked for but has not answered: the next run finds that and
# goes on with it, on every platform.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

credentials
start_sim

one_app() { # one_app PLATFORM KIND: a manifest with one deployment there
    if [ "$2" = static ]; then
        one_site "$1"
        return
    fi
    cat >trine.yaml <<END
project: flow
apps:
  web: { kind: service, path: backend, health: /health, port: 8000 }
environments:
  uat: { branch: develop, service: $(binding "$1") }
END
}

made() { books ".platforms[\"$platform\"].deployments"; }
has_made() { [ "$(made)" -ge 1 ]; }

# The request that makes a deployment, and how many there are in the end: PLATFORM KIND PATH AFTER COUNT
# (Vercel refuses the first with the list of what it lacks; Render deploys the branch by itself when a
# service is created.)
while read -r platform kind path after count; do
    rm -rf state
    curl -fsS --max-time 10 -X POST "$control/reset" >/dev/null
    one_app "$platform" "$kind"
    faults '[{"platform": "'"$platform"'", "method": "POST", "path": "'"$path"'", "stall": true, "times": 1,
        "after": '"$after"'}]'
    begin deploy --commit "$commit"
    until_true 200 has_made
    kill -INT "$pid"
    wait "$pid"
    is "$platform: an interrupted run does not end well" $(($? > 0)) 1
    is "$platform: what it left is unfinished" "$(states)" running
    deploy
    is "$platform: the next run ends with 0" "$status" 0
    is "$platform: nothing was deployed twice" "$(made)" "$count"
done <<'END'
cloudflare-pages static */deployments 0 1
netlify static */deploys* 0 1
vercel static *deployments* 1 1
koyeb service */services 0 1
render service */services 0 2
END

# A lost answer, and then a platform that is down for longer than one run waits.
rm -rf state
curl -fsS --max-time 10 -X POST "$control/reset" >/dev/null
platform=netlify
one_app netlify static
faults '[{"platform": "netlify", "method": "POST", "path": "*/deploys*", "close": "after", "times": 1},
    {"platform": "netlify", "method": "GET", "path": "*/deploys*", "status": 503}]'
bound=200
deploy
is 'a platform that is down: the run ends with 3' "$status" 3
check 'it says what to do' says 'run the same command again to go on'
is 'the deployment is unfinished' "$(states)" running
faults '[]'
deploy
is 'the next run ends with 0' "$status" 0
is 'nothing was deployed twice' "$(made)" 1

# Ctrl-C while an app is being built: its commands end too.
rm -rf state
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web, build: 'echo \$\$ > "$work/builder"; sleep 600 & wait' , output: dist }
environments:
  uat: { branch: develop, static: $(binding netlify) }
END
begin deploy --commit "$commit"
check 'a build has begun' until_true 100 test -s "$work/builder"
kill -INT "$pid"
wait "$pid"
is 'interrupted, it ends with 1' $? 1
check 'it says what to do' grep -F 'run the same command again' bg.err
# shellcheck disable=SC2009 # it is the state that counts, and pgrep tells none
building() { ps -o stat= -g "$(cat "$work/builder")" | grep -v Z; } # one that ended may still be a zombie
check 'nobody is building any more' nothing building
finish
