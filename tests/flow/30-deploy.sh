#!/bin/sh
# One app of each kind on every platform: deployed, served, known; the second run has nothing to do, and one
# changed file is one upload.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

credentials
start_sim
site web/dist 'all of them'
mkdir -p api phone
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web }
  api: { kind: service, path: api, port: 5024 }
  phone: { kind: mobile, path: phone, workflow: "build-{instance}.yml", instances: [ios] }
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

# --- All of it, once ---------------------------------------------------------------------------------
t plan --commit "$commit"
is 'plan ends with 0' "$status" 0
is 'and asks no platform' "$(requests)" 0
deploy
is 'deploy ends with 0' "$status" 0
t status --json -q
is 'status ends with 0' "$status" 0
is 'nine deployments are live, of this commit and release 1' "$(jq '[.environments[].deployments[] |
    select(.state == "live" and .commit == "'"$commit"'" and .release == 1)] | length' out)" 9
is 'status --json has the documented members' \
    "$(jq -c '[.environments[].deployments[] | keys] | unique' out)" \
    '[["app","commit","instance","platform","release","state","url"]]'
cp out status.json
is 'the simulator holds a project for each and one that is live' \
    "$(ledger | jq -c 'del(.expo, .upstash) | [.[] | [.projects, .live]]')" \
    '[[1,1],[1,1],[1,1],[1,1],[1,1],[1,1]]'

# --- What is served ----------------------------------------------------------------------------------
address() { # address ENVIRONMENT APP
    jq -r --arg e "$1" --arg a "$2" '.environments[] | select(.name == $e).deployments[] |
        select(.app == $a).url | rtrimstr("/")' status.json
}
for environment in uat beta preprod; do
    url=$(address $environment web)
    for file in index.html assets/main.css assets/main.js; do
        path=$file
        [ $file = index.html ] && path=
        curl -fsS --max-time 10 "$url/$path" >got
        check "$environment serves $file byte for byte" cmp got web/dist/$file
    done
    curl -fsS --max-time 10 "$url/.well-known/trine.json" >got
    is "$environment tells its commit and release" "$(jq -c '[.commit, .release]' got)" \
        "[\"$commit\",1]"
    url=$(address $environment api)
    curl -fsS --max-time 30 "$url/health" >got
    is "$environment's service tells its commit" "$(jq -r .commit got)" "$commit"
done

# --- Again: nothing to do ----------------------------------------------------------------------------
before=$(books 'del(.sites, .site_requests) | tojson')
deploy
is 'deploying again ends with 0' "$status" 0
is 'and not one request reached a platform' "$(books 'del(.sites, .site_requests) | tojson')" "$before"
t releases --json
is 'and made no release' "$(jq -c '[.. | .number? // .release? | numbers] | unique' out)" '[1]'

# --- One file changed --------------------------------------------------------------------------------
printf 'console.log("changed")\n' >web/dist/assets/main.js
ledger >before.json
t plan --json --commit "$commit"
is 'plan shows three changes' "$(jq -c .counts out)" '{"create":0,"change":3,"nothing":6,"cannot":0}'
for environment in uat beta preprod; do
    deploy -e $environment
    is "deploying the change to $environment ends with 0" "$status" 0
    curl -fsS --max-time 10 "$(address $environment web)/assets/main.js" >got
    check "$environment serves the new bytes" cmp got web/dist/assets/main.js
done
ledger >after.json
difference=$(jq -c --slurpfile b before.json '. as $a | [["cloudflare-pages", "netlify", "vercel"][] |
    . as $p | [$a[$p].projects - $b[0][$p].projects, $a[$p].deployments - $b[0][$p].deployments,
    $a[$p].uploads - $b[0][$p].uploads]]' after.json)
# Two uploads each: the file, and trine's own, which tells the new release.
is 'each: no project, one deployment, the file and the file that tells the release' "$difference" \
    '[[0,1,2],[0,1,2],[0,1,2]]'
is 'no service and no mobile app was deployed again' \
    "$(jq -c 'del(.["cloudflare-pages"], .netlify, .vercel)' after.json)" \
    "$(jq -c 'del(.["cloudflare-pages"], .netlify, .vercel)' before.json)"

# --- A new commit ------------------------------------------------------------------------------------
commit=c0ffee0000000000000000000000000000000001
deploy
is 'a new commit ends with 0' "$status" 0
is 'everything is live' "$(live)" 9
curl -fsS --max-time 30 "$(address beta api)/health" >got
is 'the service runs the new commit' "$(jq -r .commit got)" "$commit"

# --- The user's own commands -------------------------------------------------------------------------
cat >trine.yaml <<'END'
project: own
apps:
  phone: { kind: mobile, path: phone }
environments:
  own:
    branch: main
    mobile:
      platform: exec
      deploy: echo "$TRINE_COMMIT" >>deployed && echo '{"state":"in_progress","id":"own-1"}'
      status: test "$TRINE_ID" = own-1 && echo '{"state":"live","url":"https://own.example/"}'
END
deploy
is 'own commands: deploy ends with 0' "$status" 0
is 'the deploy command ran once, with the commit' "$(cat phone/deployed)" "$commit"
t status --json -q
is 'what the status command told is known' \
    "$(jq -r '.environments[0].deployments[0] | .state + " " + .url' out)" 'live https://own.example/'
deploy
is 'again: ends with 0' "$status" 0
is 'and the command did not run again' "$(wc -l <phone/deployed)" 1
finish
