#!/bin/sh
# The same as 92-dns.sh, at a real BIND.
# shellcheck source-path=SCRIPTDIR
NAME_SERVER=bind
# shellcheck source=92-dns.sh
. "$(dirname "$0")/92-dns.sh"
