#!/bin/sh
# Databases and caches: real servers are asked, what cannot be asked is said, no password gets out.
# shellcheck shell=sh source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

postgres=$(find /usr/lib/postgresql/*/bin -name postgres 2>/dev/null | tail -1)
for needed in "$postgres" redis-server setpriv node; do
    command -v "${needed:-postgres}" >/dev/null || skip_all "needs ${needed:-postgresql}"
done
secret=canary-5d1e-password

# as_postgres COMMAND...: PostgreSQL does not run as root
as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        set -- setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
    fi
    (cd "$work/data" && exec env LC_ALL=C "$@")
}

# serve NAME COMMAND...: in the background, until the test ends
serve() {
    name=$1
    shift
    "$@" >"$name.log" 2>&1 &
    children="$children $!"
}

# A port that is free now: the kernel hands it to a listener that is gone at once.
free_port() {
    node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => {
        console.log(s.address().port); s.close(); })'
}

chmod 755 "$work"
mkdir data
printf '%s\n' "$secret" >data/password
[ "$(id -u)" -eq 0 ] && chown -R postgres data
database_port=$(free_port) cache_port=$(free_port)
as_postgres "$(dirname "$postgres")/initdb" -D base -U trine -A scram-sha-256 --pwfile=password --no-sync \
    --locale=C -E UTF8 >initdb.log 2>&1 || skip_all 'initdb fails here'
serve postgres as_postgres "$postgres" -D base -p "$database_port" -k '' -c fsync=off -c listen_addresses=127.0.0.1
serve redis redis-server --bind 127.0.0.1 --port "$cache_port" --requirepass "$secret" --save '' --dir "$work"
check 'PostgreSQL listens' until_true 100 grep -q 'ready to accept' postgres.log
check 'Redis listens' until_true 100 grep -q 'Ready to accept' redis.log

credentials
start_sim
site web/dist
cat >>sim.env <<END
TEST_DATABASE='postgres://trine:$secret@127.0.0.1:$database_port/postgres'
TEST_CACHE='redis://:$secret@127.0.0.1:$cache_port/0'
TEST_ABSENT='postgres://x@127.0.0.1/x'
END
cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web }
environments:
  near:
    branch: develop
    static: $(binding netlify)
    database: { platform: postgres, url: \$TEST_DATABASE, version: 13, extensions: [plpgsql] }
    cache: { platform: redis, url: \$TEST_CACHE, version: 6, needs: [pubsub] }
  far:
    branch: release
    static: $(binding vercel)
    database: { platform: postgres, url: \$TEST_ABSENT }
    cache: { platform: upstash, plan: payg, url: \$UPSTASH_REDIS_REST_URL, token: \$UPSTASH_REDIS_REST_TOKEN }
checks:
  home: { app: web, every: 1s }
  certificate: { kind: tls, app: web }
  database: { kind: postgres, every: 1s }
  redis: { kind: redis, every: 1s, environments: [near] }
  rest: { kind: upstash, every: 1s, environments: [far] }
END
deploy
is 'deployed' "$status" 0
sed -i '/TEST_ABSENT/d' sim.env

t probe --count 2 -v --json
is 'probe ends with 0' "$status" 0
is 'the pages, the database and both caches answered, twice each' \
    "$(jq -c '[.environments[] | [.name, .ok, .failed]] | sort' out)" '[["far",4,0],["near",6,0]]'
check 'plain http has no certificate: said' says 'certificate is left out of near web and 1 more: plain http://'
check 'a secret without a value is named' says 'environments.far.database.url needs $TEST_ABSENT'
is 'the simulated cache counted the commands' "$(books '.platforms.upstash.commands')" 4

# --- What is wrong is said, without passwords --------------------------------------------------------
sed -i "s/^TEST_DATABASE=.*/TEST_DATABASE='postgres:\/\/trine:canary-wrong@127.0.0.1:$database_port\/postgres'/
    s/^TEST_CACHE=.*/TEST_CACHE='redis:\/\/:canary-wrong@127.0.0.1:$cache_port'/
    s/^UPSTASH_REDIS_REST_TOKEN=.*/UPSTASH_REDIS_REST_TOKEN='canary-wrong-token'/" sim.env
t probe --count 1 -v --json
is 'probe ends with 0' "$status" 0
is 'only the pages are well' "$(jq -c '[.environments[] | [.name, .ok, .failed]] | sort' out)" \
    '[["far",1,1],["near",1,2]]'
check 'the database refuses the password' says 'password authentication failed for user "trine"'
check 'the cache does' says 'WRONGPASS'
check 'and the REST interface' says "look at the cache's token"
check 'no password in any output' nothing grep -rq canary out err
check 'nor in the store' nothing grep -rqa canary state
finish
