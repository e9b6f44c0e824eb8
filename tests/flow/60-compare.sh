#!/bin/sh
# Measure, compare, report: the samples are kept, the comparison says what it must, the page needs no network.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

credentials
cat >latency.json <<'END'
{"seed": 5, "hosts": [
    {"host": "*.netlify.localhost", "median_ms": 5, "p95_ms": 8},
    {"host": "*.vercel.localhost", "median_ms": 180, "p95_ms": 190}]}
END
start_sim --latency latency.json
site web/dist
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web }
environments:
  near: { branch: develop, static: $(binding netlify) }
  far: { branch: release, static: $(binding vercel) }
checks:
  home: { app: web, path: /, every: 1s }
targets: { avg: 20ms, p95: 1s, success: 99% }
END

t compare
is 'nothing measured yet: exit status 1' "$status" 1
deploy
is 'deployed' "$status" 0
t probe --for 8s --every 200ms
is 'probe ends with 0' "$status" 0

t compare
is 'compare: a target is missed, exit status 1' "$status" 1
check 'the table names both environments' prints near
check 'and the other' prints far
t compare --json
cp out comparison.json
for member in version generated_at window environments winners pairs recommendation; do
    check "compare --json has $member" jq -e "has(\"$member\")" comparison.json
done
is 'environments in the order of the manifest' "$(jq -r '[.environments[].name] | join(" ")' comparison.json)" \
    'near far'
for metric in avg_ms p50_ms success_rate; do
    check "$metric with its interval" jq -e ".environments | all(.figures.$metric | .low <= .value + 0.001 and
        .value <= .high + 0.001)" comparison.json # rounded each for itself
done
check 'p95, whose interval so few samples cannot tell' jq -e '.environments | all(.figures.p95_ms | .value > 0 and
    .high == null and .met == null)' comparison.json
check 'the far one misses the target' jq -e '.environments[1].figures.avg_ms.met == false' comparison.json
check 'about 40 samples each, none lost' jq -e '.environments | all(.figures.success_rate.n >= 35 and .figures.success_rate.n <= 41)' \
    comparison.json
check 'all of them good' jq -e '.environments | all(.figures.success_rate.value == 1)' comparison.json
check 'the near one is faster' jq -e '.environments[0].figures.p50_ms.value < .environments[1].figures.p50_ms.value' \
    comparison.json
check 'and the pair says which by how much' jq -e '.pairs[0] | .a == "near" and (.metrics[1] | .difference < 0 and .blocks >= 4)' comparison.json

# The published schema, by a validator that is not ours, where the packages of tests/contract are installed.
validate() {
    node -e '
        const need = require("module").createRequire(process.argv[1] + "/package.json");
        const Ajv = need("ajv/dist/2020.js").default, read = (f) => JSON.parse(require("fs").readFileSync(f));
        const fits = new Ajv({ strict: false }).compile(read(process.argv[2]));
        if (!fits(read(process.argv[3]))) { console.log(fits.errors); process.exit(1); }' \
        "$(realpath "$here/../contract")" "$here/../../docs/environment_comparison.schema.json" "$1"
}
if command -v node >/dev/null 2>&1 && [ -d "$here/../contract/node_modules/ajv" ]; then
    check 'the JSON fits its published schema' validate comparison.json
    check 'and so does the published example' validate "$here/../../docs/environment_comparison.example.json"
fi
t compare -e far,near
is 'the first one is worse: exit status 1' "$status" 1
t compare -e near --self-test --days 5
is 'the self-test finds no false winner, exit status 0' "$status" 0
check 'and names what it tested on' prints 'simulated days'

mkdir out.d
t report -o out.d
is 'report ends with 0' "$status" 0
check 'the JSON is there' jq -e '.version and (.environments | length == 2)' out.d/environment_comparison.json
page=out.d/environment_comparison.html
check 'the page is there' test -s $page
check 'with plots' grep -q '<svg' $page
check 'of both environments' grep -q far $page
check 'it loads nothing' nothing grep -Eiq '(src|href|action|data)="?(https?:)?//|@import|url\(["'\'']?(https?:)?//|<(script|link|iframe|img|object)[^>]+(src|href)=' $page
is 'every address in it is a name space or what was measured' "$(grep -Eo 'https?://[^"<> ]+' $page |
    grep -v '^http://www.w3.org/' | grep -v '\.localhost:' | sort -u)" ''

# --- A window without samples; an environment that fails ---------------------------------------------
t compare --from 2001-01-01T00:00:00Z --until 2001-01-02T00:00:00Z
is 'a window without samples: exit status 1' "$status" 1
t compare --from yesterday
is 'a window that is none: exit status 2' "$status" 2
faults '[{"host": "*.netlify.localhost", "status": 500}]'
t probe --for 2s --every 200ms
is 'probing what fails ends with 0' "$status" 0
t compare --json --from 3s
check 'the failures are counted' jq -e '.environments[0].figures.success_rate.value < 1' out
finish
