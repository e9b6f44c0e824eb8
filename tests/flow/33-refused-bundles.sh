#!/bin/sh
# A bundle that must not be deployed is refused before any request, with the file named.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

credentials
start_sim

# refused NAME TEXT: deploy and plan refuse, say TEXT, and no platform was asked
refused() {
    deploy
    is "$1: deploy ends with 1" "$status" 1
    check "$1: and names it" says "$2"
    t plan --commit "$commit"
    is "$1: plan ends with 1" "$status" 1
    check "$1: and says why" prints "$2"
    is "$1: no request reached a platform" "$(requests)" 0
}

for platform in cloudflare-pages netlify vercel; do
    one_site $platform
    ln -s /etc/passwd web/dist/assets/link
    refused "$platform: a link out of the bundle" assets/link
    rm web/dist/assets/link
done

ln -s ../../trine.yaml web/dist/link
refused 'a link to the folder above' link
rm web/dist/link
ln -s nowhere web/dist/link
refused 'a link to nowhere' link
rm web/dist/link

name=$(printf 'a\tb.js')
: >"web/dist/$name"
refused 'a control character in a name' 'control character'
rm "web/dist/$name"
: >'web/dist/..\..\up.js'
refused 'a way out for other systems' 'up.js'
rm 'web/dist/..\..\up.js'
: >"$(printf 'web/dist/caf\351.js')"
refused 'a name that is no UTF-8' 'UTF-8'
rm "$(printf 'web/dist/caf\351.js')"
mkfifo web/dist/pipe
refused 'neither file nor folder' pipe
rm web/dist/pipe
mkdir -p web/dist/.well-known
echo '{}' >web/dist/.well-known/trine.json
refused "trine's own file" .well-known/trine.json
rm -r web/dist/.well-known

one_site cloudflare-pages
truncate -s 26214401 web/dist/film.mp4
refused 'a byte over the limit of a file' film.mp4
truncate -s 26214400 web/dist/film.mp4
t plan --commit "$commit"
is 'the limit itself is allowed' "$status" 0
rm web/dist/film.mp4

# shellcheck source=/dev/null
token=$(. ./sim.env && echo "$KOYEB_TOKEN")
one_site netlify
cat >>trine.yaml <<'END'
    secrets: [KOYEB_TOKEN]
END
sed -i 's/uat: { \(.*\) }$/uat:\n    \1/; s/branch: develop, static/branch: develop\n    static/' trine.yaml
printf 'fetch("/", {headers: {key: "%s"}})\n' "$token" >web/dist/assets/api.js
refused "a secret's value in a file" assets/api.js
check 'the secret is named' prints KOYEB_TOKEN
check 'and its value is not shown' nothing grep -rq "$token" out err state
truncate -s 300000 web/dist/large.bin # a buffer's edge must not hide it
printf '%s' "$token" >>web/dist/large.bin
rm web/dist/assets/api.js
refused "a secret's value at the end of a large file" large.bin
rm web/dist/large.bin

rm -r web/dist/*
refused 'an empty folder' web/dist
one_site netlify
deploy
is 'the same bundle without any of it is deployed' "$status" 0
is 'and live' "$(states)" live
finish
