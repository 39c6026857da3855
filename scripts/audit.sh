#!/usr/bin/env bash
# Known vulnerabilities of the versions in constraints.txt. Fails when there are any; where the advisories are out of
# reach, as without network, it says that nothing was checked, and does not fail.
set -uo pipefail
cd "$(dirname "$0")/.."
found=$("${1:-pip-audit}" --requirement constraints.txt --no-deps --disable-pip --progress-spinner off 2>&1)
status=$?
packages=$(grep -c '^[A-Za-z0-9]' constraints.txt)
unknown=$(grep -c 'could not be audited' <<<"$found")
if grep -q 'Found [0-9]* known vulnerabilit' <<<"$found"; then
    echo "$found"
    exit 1
elif [ "$status" -ne 0 ]; then
    echo "audit: the advisories are out of reach, so NOTHING WAS CHECKED ($(tail -n 1 <<<"$found" | cut -c 1-100)...)"
elif [ "$unknown" -gt 0 ]; then
    echo "audit: no known vulnerabilities, but of $unknown of $packages packages nothing is known here: NOT CHECKED"
else
    echo "audit: no known vulnerabilities in $packages packages"
fi
