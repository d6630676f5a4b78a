#!/bin/sh
# Installs the Debian packages whose programs are peers of tests/real, and starts none of them.
set -eu

PACKAGES="postfix postgrey nsd"

missing=""
for package in $PACKAGES; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "tests/real/install.sh: run me as root to install$missing" >&2
    exit 1
fi

# While this file says 101, maintainer scripts start no service (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
# Package lists may be missing or stale in a fresh image.
apt-get update -qq
# shellcheck disable=SC2086 # a list on purpose
apt-get install -y -qq --no-install-recommends $missing >/dev/null
