#!/bin/sh
# Alerts through the real program: what Slack, Discord, a signed webhook and a mail server get; failures,
# quiet hours, folding, kills in each phase; and that no address or secret is seen anywhere.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

command -v sqlite3 >/dev/null 2>&1 || skip_all 'no sqlite3'
start_sim
base=$(jq -r .bases.webhooks bases.json)
base=${base%/}
site web/dist

# --- A real mail server ------------------------------------------------------------------------------
mail_port=''
for python in /usr/bin/python3 python3; do
    "$python" -c 'import aiosmtpd' 2>/dev/null || continue
    cat >mail.py <<'END_OF_PYTHON'
import asyncio
from aiosmtpd.smtp import SMTP


class Keep:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, server, session, envelope):
        with open("mails", "ab") as f:
            f.write(b"@@" + ",".join(envelope.rcpt_tos).encode() + b"\n" + envelope.original_content)
        return "250 kept"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keep(), hostname="localhost"), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
END_OF_PYTHON
    : >mails
    "$python" mail.py >mail.port 2>mail.err &
    children="$children $!"
    until_true 100 test -s mail.port || sed 's/^/# /' mail.err
    mail_port=$(cat mail.port)
    break
done

# --- The manifest ------------------------------------------------------------------------------------
cat >sim.env <<END
NETLIFY_AUTH_TOKEN=sim-netlify-token-0001
SLACK_URL=$base/services/T0FLOW/B0001/canary86aslack
DISCORD_TOKEN=canary86bdiscord
HOOK_URL=$base/hooks/canary86chook
HOOK_SECRET=whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGlydHktdHdvLWI=
MAIL_PASSWORD=canary86d/mail
END
manifest_with() { # manifest_with ENTRIES: of alerts
    cat >trine.yaml <<END
project: flow
apps:
  web: { kind: static, path: web }
environments:
  uat: { branch: develop, static: $(binding netlify) }
alerts:
$1
END
}
slack='  ops: { kind: slack, url: $SLACK_URL, events: [down, up, failover, limit, budget, copy, rotation], repeat: 1h }'
discord="  chat: { kind: discord, url: \"$base/api/webhooks/86/\$DISCORD_TOKEN\" }"
hook='  hook: { kind: webhook, url: $HOOK_URL, secret: $HOOK_SECRET }'
mail="  mail: { kind: mail, url: \"smtp://127.0.0.1:$mail_port\", from: trine@example.com, to: [a@example.com, nobody@example.com] }"
lines() { printf '%s\n' "$@"; }

# --- What bad input gets -----------------------------------------------------------------------------
manifest_with "$(lines '  a: { kind: slack, url: "http://hooks.example.com/x" }' \
    '  b: { kind: slack, url: "https://hooks.slack.com/services/T/B/x" }' \
    '  c: { kind: webhook, url: $HOOK_URL, secret: whsec_literal }' \
    '  d: { kind: mail, url: "https://mail.example.com", from: a@b.example, to: c@d.example }' \
    '  e: { kind: slack, url: $SLACK_URL, quiet: "22:00-22:00" }' \
    '  f: { kind: slack, url: $SLACK_URL, secret: $HOOK_SECRET }' \
    '  g: { kind: mail, url: "smtp://m.example", from: "a@b.example>, x@y.example", to: c@d.example }')"
t validate
check 'every wrong one of them is said' says '8 problems'
for words in 'alerts.a.url: must be https://' 'alerts.b.url: is a credential' 'alerts.c.secret: must be $NAME' \
    'alerts.d.url: must be smtp://' '22:00-07:00' 'alerts.f.secret' 'alerts.g.from: "a@b.example>, x@y.example" is not a mail address'; do
    check "and it is said: $words" says "$words"
done
manifest_with "$(lines '  a: { kind: slack, url: $NOT_GIVEN }' '  b: { kind: slack, url: $PLAIN }' \
    '  c: { kind: webhook, url: $HOOK_URL, secret: $PLAIN }')"
echo 'PLAIN=http://hooks.example.com/canary86e' >>sim.env
t alerts test
is 'alerts that cannot be sent are status 1' "$status" 1
check 'a secret without a value is named' prints '$NOT_GIVEN, which has no value'
check 'an address that is not https is refused when it is used' prints 'is not an https:// address'
check 'so is a secret that is none, with what to do' prints 'head -c 32 /dev/urandom'
t alerts test nobody
is 'an alert that is not there is status 2' "$status" 2
check 'and is named' says 'there is no alert "nobody"'

# --- trine alerts test -------------------------------------------------------------------------------
count() { # count RECEIVER: messages that it has
    books "[.platforms.webhooks.messages[] | select(.receiver == \"$1\")] | length"
}
all="$(lines "$slack" "$discord" "$hook")"
[ -n "$mail_port" ] && all="$(lines "$all" "$mail")"
manifest_with "$all"
t alerts test
is 'a test of all arrives' "$status" 0
check 'and what the other side said is shown' prints '200 ok'
is 'Slack, Discord and the webhook, which checked the signature, have one each' \
    "$(count slack) $(count discord) $(count webhook)" '1 1 1'
if [ -n "$mail_port" ]; then
    is 'so has the mail server' "$(grep -c '^@@a@example.com$' mails)" 1
    check 'a recipient that it refused is told of' prints '1 of 2 recipients were refused'
fi
faults '[{"platform": "webhooks", "path": "/services/*", "status": 404}]'
t alerts test ops
is 'one that does not arrive is status 1' "$status" 1
check 'with what the other side said' prints '404 no_service'
faults '[]'

# --- The daemon --------------------------------------------------------------------------------------
t alerts --json
is 'a test leaves nothing in the store' "$(jq '[.alerts[].sent] | add' out)" 0
tell() { # tell KEY EVENT ALERT...: as a process that writes it down and is gone
    tell_key=$1 tell_event=$2
    shift 2
    for alert in "$@"; do
        sqlite3 -cmd '.timeout 5000' state/trine.db "INSERT INTO alert_matters (alert, key, event, environment,
            incident, title, text, link, at_ms, held, message) VALUES ('$alert', '$tell_key', '$tell_event', 'uat', 7,
            'uat is $tell_event ($tell_key)', 'why', 'https://trine.example/incidents/7', $(date +%s%3N), 0, 0)"
    done
}
serve() {
    begin serve --listen 127.0.0.1:0
    until_true 100 grep -q http bg.out
}
stop() {
    kill "-$1" "$pid"
    wait "$pid" 2>/dev/null
}
standing() { # standing ALERT FIELD
    "$program" alerts --json -q -f trine.yaml --state state --env-file sim.env 2>/dev/null |
        jq -r ".alerts[] | select(.name == \"$1\") | .$2"
}
stands() { [ "$(standing "$1" "$2")" = "$3" ]; }
texts() { # of what a receiver has, the test's aside
    books "[.platforms.webhooks.messages[] | select(.receiver == \"$1\" and (.text | test(\"is a test\") | not)) | .text] | join(\"; \")"
}
everybody='ops chat hook'
[ -n "$mail_port" ] && everybody="$everybody mail"
# shellcheck disable=SC2086
tell first down $everybody
serve
for alert in $everybody; do
    until_true 100 stands "$alert" sent 1
    report $? "$alert is told"
done
is 'Slack once' "$(texts slack)" 'flow uat down: uat is down (first)'
is 'the webhook once' "$(texts webhook)" 'flow uat down: uat is down (first)'
stop TERM

# --- A receiver that fails holds up nobody else, and loses nothing -------------------------------------
faults '[{"platform": "webhooks", "path": "/services/*", "status": 500}]'
tell second up ops chat
serve
until_true 100 stands chat sent 2
report $? 'while Slack answers 500 the others are told'
tell third limit ops
until_true 150 stands ops 'messages[0].attempts' 2
report $? 'Slack is tried again'
is 'what comes meanwhile waits behind it' "$(standing ops waiting)" 2
is 'which is said once' "$(grep -c 'alert ops: not told yet' bg.err)" 1
faults '[]'
until_true 300 stands ops sent 3
report $? 'once it answers again it gets all'
is 'in order and once each' "$(texts slack)" \
    'flow uat down: uat is down (first); flow uat up: uat is up (second); flow uat limit: uat is limit (third)'
faults '[{"platform": "webhooks", "path": "/api/*", "status": 429, "retry_after": 1, "times": 1}]'
tell fourth limit chat
kill -HUP "$pid" # looks at once
until_true 200 stands chat sent 3
report $? 'a receiver that asks for time gets it, and then the alert'
faults '[]'

# --- Folding and quiet hours ---------------------------------------------------------------------------
tell fold-1 down ops
tell fold-2 down ops
slack_before=$(count slack)
kill -HUP "$pid"
until_true 50 stands ops waiting 2
is 'within the hour of repeat the same is not told again' "$(count slack)" "$slack_before"
stop TERM
sed -i 's/repeat: 1h/repeat: 1s/' trine.yaml
serve
until_true 100 stands ops waiting 0
is 'but then in one message, with a count' "$(texts slack | sed 's/.*; //')" \
    'flow uat down: uat is down (fold-2) (and 1 more)'
stop TERM
minute=$(($(date -u +%-H) * 60 + $(date -u +%-M)))
span=$(printf '%02d:%02d-%02d:%02d' $(((minute + 1430) % 1440 / 60)) $(((minute + 1430) % 60)) \
    $(((minute + 10) % 1440 / 60)) $(((minute + 10) % 60)))
sed -i "s/repeat: 1s/repeat: 1s, quiet: \"$span\", urgent: [failover]/" trine.yaml
tell night-1 down ops
tell night-2 up ops
tell night-3 failover ops
serve
until_true 100 stands ops sent 5
is 'in quiet hours only what is urgent is told' "$(texts slack | sed 's/.*; //')" \
    'flow uat failover: uat is failover (night-3)'
is 'and the others wait' "$(standing ops waiting)" 2
sed -i 's/, quiet: .*, urgent: .*failover\]//' trine.yaml
kill -HUP "$pid"
until_true 100 stands ops sent 6
is 'when they end all is told in one message' "$(texts slack | sed 's/.*; //')" 'flow: 2 alerts from the quiet hours'
stop TERM

# --- What trine deploy has to tell ---------------------------------------------------------------------
cp trine.yaml before.yaml
manifest_with '  deploys: { kind: webhook, url: $HOOK_URL, secret: $HOOK_SECRET, events: [deploy, deploy-failed] }'
hook_before=$(count webhook)
deploy
is 'a deploy with nobody to send succeeds' "$status" 0
check 'and says who will be told' says 'trine serve will tell 1 alert of uat'
deploy
is 'one that changes nothing has nothing to tell' "$(standing deploys waiting)" 1
site web/dist 'another text'
faults '[{"platform": "netlify", "status": 422}]'
deploy
check 'one that is refused fails' test "$status" -ne 0
faults '[]'
serve
until_true 100 stands deploys sent 2
report $? 'both are told once trine serve runs'
is 'by what they are' "$(texts webhook | sed 's|.*; \(flow uat deploy:\)|\1|' | sed 's|, commit [^;]*||g')" \
    'flow uat deploy: release 1 is live; flow uat deploy-failed: release 2 failed'
stop TERM
is 'and once each' "$(count webhook)" $((hook_before + 2))
mv before.yaml trine.yaml

# --- Killed in each phase ------------------------------------------------------------------------------
slack_before=$(count slack) hook_before=$(count webhook)
tell kill-1 budget ops hook # written down, nothing begun
faults '[{"platform": "webhooks", "stall": true}]'
serve
sending() { [ "$(sqlite3 state/trine.db "SELECT count(*) FROM alert_messages WHERE state = 'sending'")" = "$1" ]; }
received() { [ "$(($(count slack) + $(count webhook)))" = "$((slack_before + hook_before + 2))" ]; }
until_true 100 sending 2
until_true 100 received
report $? 'both have it, but no answer came yet'
stop 9
faults '[]'
serve
until_true 100 stands hook sent 2
report $? 'after a kill the webhook gets it again, as it knows what it has'
is 'by its id: it is one message there, received twice' \
    "$(books '[.platforms.webhooks.messages[] | select(.times == 2)] | length')" 1
until_true 100 stands ops unknown 1
report $? 'Slack does not, as nobody knows whether it arrived'
is 'so nobody is told twice' "$(count slack)" "$((slack_before + 1))"
check 'and it is said' grep -q 'whether it arrived is unknown' bg.err
t alerts
check 'and shown' prints 'unknown: uat is budget (kill-1)'
stop 9 # at rest
serve
until_true 50 grep -q measuring bg.err
stop TERM
is 'a kill at rest repeats nothing' "$(count slack) $(count webhook)" "$((slack_before + 1)) $((hook_before + 1))"

# At any moment: the answers take a while, so that some kills hit the time in between.
faults '[{"platform": "webhooks", "delay_ms": 100}]'
unknown_before=$(standing ops unknown)
round=0
for event in backup up failover limit deploy drill; do
    round=$((round + 1))
    tell "any-$round" $event ops hook
    serve
    sleep "$(awk -v s="$round$$" 'BEGIN { srand(s); printf "%.3f", rand() * 0.3 }')" # the random moment
    stop 9
done
faults '[]'
serve
until_true 100 stands ops waiting 0
report $? 'after six kills at any moment nothing is left waiting for Slack'
until_true 100 stands hook waiting 0
report $? 'nor for the webhook'
stop TERM
told() { # told RECEIVER: how often it has each
    for round in 1 2 3 4 5 6; do
        texts "$1" | grep -o "(any-$round)" | wc -l
    done | tr '\n' ' '
}
is 'which has each once' "$(told webhook)" '1 1 1 1 1 1 '
is 'Slack has none twice' "$(told slack | tr -d '01 ')" ''
lacks=$(told slack | tr -cd 0 | wc -c)
check 'and what it has not is shown as unknown' test "$lacks" -le "$(($(standing ops unknown) - unknown_before))"

faults '[{"platform": "webhooks", "path": "/services/*", "delay_ms": 1500}]'
tell end-1 copy ops
sent_before=$(standing ops sent)
serve
until_true 100 sending 1
stop TERM
is 'told to end, it waits for the answer of what it sends' "$(standing ops sent)" "$((sent_before + 1))"
faults '[]'

# --- Secrets -------------------------------------------------------------------------------------------
faults '[{"platform": "webhooks", "status": 500}]'
# shellcheck disable=SC2086
tell last rotation $everybody
serve
until_true 100 grep -q 'alert ops: not told yet' bg.err
for pattern in canary86 c2ltdWxhdGVkLXNlY3JldC; do
    is "no $pattern in a process's words" "$(tr '\0' ' ' <"/proc/$pid/cmdline" | grep -c "$pattern")" 0
    is "no $pattern in what was said" "$(grep -l "$pattern" out err bg.out bg.err | tr '\n' ' ')" ''
    is "no $pattern in the state folder" "$(grep -rla "$pattern" state | tr '\n' ' ')" ''
done
stop TERM
t alerts --json -v
is 'nor in what trine alerts shows' "$(grep -c canary86 out)" 0
finish
