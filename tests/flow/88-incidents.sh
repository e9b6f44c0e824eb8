#!/bin/sh
# One incident for one cause: 30 checks on one platform that fail in the same minute are one incident with
# one alert, two unrelated causes are two, the same ones go on after a kill -9 with nothing twice, and what
# returns soon reopens its own.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

credentials
start_sim
base=$(jq -r .bases.webhooks bases.json)
echo "HOOK_URL=${base%/}/hooks/canary88hook" >>sim.env
echo 'HOOK_SECRET=whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGlydHktdHdvLWI=' >>sim.env
site web/dist
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web, instances: [$(seq -s ', ' -f 'site%02g' 15)] }
environments:
  near: { branch: develop, static: $(binding netlify) }
  far: { branch: release, static: $(binding vercel) }
checks:
  home: { app: web, path: /, every: 1s, timeout: 900ms, down_after: 2, up_after: 2 }
  style: { app: web, path: /assets/main.css, every: 1s, timeout: 900ms, down_after: 2, up_after: 2 }
alerts:
  hook: { kind: webhook, url: \$HOOK_URL, secret: \$HOOK_SECRET, events: [down, up, notice] }
END
deploy
is 'deployed' "$status" 0
[ "$status" = 0 ] || exit 1
"$program" status --json -q -f trine.yaml --state state >deployed.json

# broken ENVIRONMENT...: their sites answer 500.
broken() {
    for environment; do
        jq -c --arg e "$environment" '.environments[] | select(.name == $e or .environment == $e) | .deployments[]
            | {host: (.url | sub("^https?://"; "") | sub("[:/].*"; "")), status: 500}' deployed.json
    done | jq -cs . >rules.json
    faults "$(cat rules.json)"
}
serve() {
    begin serve --listen 127.0.0.1:0
    until_true 100 grep -q http bg.out
    url=$(head -n 1 bg.out)
    url=${url%/}/
}
get() { curl -fsS --max-time 10 "${url}api/v1/$1" >answer.json && jq -r "$2" answer.json; }
list() { # list JQ: of all incidents
    t incidents --json
    jq -r ".incidents | $1" out
}
comes() { # comes JQ VALUE
    [ "$(list "$1")" = "$2" ]
}
told() { # told: what people were told, or will be
    t alerts --json
    jq -r '[.alerts[].messages[].title] | sort | join("; ")' out
}
is_told() { [ "$(told)" = "$1" ]; }
one='netlify: 30 checks of web fail in near' two='vercel: 30 checks of web fail in far'

serve
until_true 200 grep -q measuring bg.err
until_true 100 sh -c "curl -fsS '${url}api/v1/checks' | jq -e '[.checks[] | select(.state == \"up\")] | length == 60'"
t incidents
is 'no incident is no error' "$status" 0
check 'and it is said' says 'no incident in this window'

# --- 30 checks of one platform ------------------------------------------------------------------------
broken near
check '30 checks that fail come together' until_true 300 comes '.[0].checks' 30
is 'in one incident' "$(list length)" 1
is 'that names the platform, how many and where' "$(list '.[0].title')" 'netlify: 30 checks of web fail in near'
is 'and is open' "$(list '.[0].until')" null
check 'it is one alert' until_true 100 is_told "$one"
get incidents/1 '[.outages[].environment] | unique | tojson' >environments
is 'its outages are listed' "$(cat environments)" '["near"]'
is 'all of them' "$(jq '.outages | length' answer.json)" 30
is 'its timeline begins with the first' "$(jq -r '.timeline[0].kind' answer.json)" opened
is 'and names what joined' "$(jq '[.timeline[] | select(.kind == "joined")] | length' answer.json)" 29
is 'with the evidence' "$(jq -r '[.timeline[].evidence.name | values] | unique | join(" ")' answer.json)" 'home style'

# --- Killed -------------------------------------------------------------------------------------------
kill -9 "$pid"
wait "$pid" 2>/dev/null
serve
until_true 200 grep -q measuring bg.err
broken near far
check 'another platform and environment are an incident of their own' until_true 300 \
    comes '.[] | select(.id == 2) | .checks' 30
is 'the first one goes on' "$(list 'map([.id, .checks, .until] | tojson) | sort | join(" ")')" '[1,30,null] [2,30,null]'
check 'nobody is told of the first one twice' until_true 100 is_told "$one; $two"
get incidents/1 '[.timeline[] | select(.kind == "opened" or .kind == "joined")] | length' >lines
is 'and nothing is in the timeline twice' "$(cat lines)" 30

# --- Acknowledged, resolved, returned -----------------------------------------------------------------
"$program" token create flow --scope operate -f trine.yaml --state state >token.txt 2>/dev/null
code=$(curl -s -o answer.json -w '%{http_code}' -X POST -H "Authorization: Bearer $(cat token.txt)" \
    "${url}api/v1/incidents/2/acknowledge")
is 'it is acknowledged' "$code" 200
is 'and says so' "$(jq -r '.acknowledged_at != null' answer.json)" true
code=$(curl -s -o answer.json -w '%{http_code}' -X POST -H "Authorization: Bearer $(cat token.txt)" \
    "${url}api/v1/incidents/99/acknowledge")
is 'one that is not there is 404' "$code" 404
broken near
check 'what is over is resolved' until_true 300 comes '.[] | select(.id == 2) | .until != null' true
is 'the other stays' "$(list '.[] | select(.id == 1) | .until')" null
broken near far
check 'what returns within minutes is the same incident' until_true 300 \
    comes '.[] | select(.id == 2) | .until == null' true
is 'and none is new' "$(list length)" 2
faults '[]'
check 'all is over' until_true 300 comes 'map(.until != null) | all' true
for title in "over: $one" "over: $two"; do
    check "and people know: $title" until_true 100 sh -c "\"$program\" alerts --json -f trine.yaml --state state -q |
        jq -e --arg t '$title' '[.alerts[].messages[].title] | index(\$t)'"
done
t incidents 2 -v
is 'one is shown' "$status" 0
check 'with its title' prints 'vercel: 30 checks of web fail in far'
for word in opened acknowledged recovered reopened resolved '"outage":'; do
    check "its timeline has: $word" prints "$word"
done
t incidents 99
is 'one that is not there is status 1' "$status" 1
check 'and it is named' says 'there is no incident 99'
t incidents x
check 'a word is no number' says 'is no number of an incident'
kill -TERM "$pid"
wait "$pid"
is 'the daemon ends with 0' "$?" 0
finish
