#!/bin/sh
# Two runs at once: one works, the other says who holds the lease and since when.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

credentials
start_sim
one_site netlify
cat >>trine.yaml <<END
  beta: { branch: staging, static: $(binding vercel) }
END

running() { [ "$(states)" = 'absent running' ]; }

faults '[{"platform": "netlify", "delay_ms": 3000}]'
begin deploy -e uat --commit "$commit"
first=$pid
check 'the first run is at work' until_true 100 running

deploy -e uat
is 'the second ends with 1' "$status" 1
check 'names the process that holds the lease' says "pid $first"
check 'and the environment' says uat
check 'and since when' grep -Eq 'since 2[0-9]{3}-[0-9]{2}-[0-9]{2}T?' err
check 'and nothing of it was recorded' running

deploy -e uat,beta
is 'nor does a run begin that needs one environment more' "$status" 1
is 'and that one is left alone' "$(books .platforms.vercel.deployments)" 0
deploy -e beta
is 'a run of another environment works at the same time' "$status" 0
t plan -e uat --commit "$commit"
is 'so does plan' "$status" 0

faults '[]'
wait "$first"
is 'the first run ends with 0' "$?" 0
is 'both are live' "$(states)" live
is 'with one project and one deployment' "$(books '.platforms.netlify | [.projects, .deployments] | tojson')" \
    '[1,1]'
deploy -e uat
is 'the lease was given back' "$status" 0

# --- Ended by a person -------------------------------------------------------------------------------
printf 'console.log("new")\n' >web/dist/assets/main.js
faults '[{"platform": "netlify", "delay_ms": 3000}]'
started() { "$program" status --json -q -e uat --state state | grep -q '"running"'; }
begin deploy -e uat --commit "$commit"
until_true 100 started
kill -TERM "$pid"
wait "$pid"
is 'interrupted: exit status 1' "$?" 1
check 'and it says how to go on' grep -q 'run the same command again' bg.err
faults '[]'
deploy -e uat
is 'the next run goes on at once' "$status" 0
is 'and it is live' "$(states)" live
is 'with one project and two deployments' "$(books '.platforms.netlify | [.projects, .deployments] | tojson')" \
    '[1,2]'
finish
