#!/bin/bash
# Inside the clean Debian: removes the package and looks for what it left.
set -euo pipefail
dpkg --purge mcr
left=$(find / -xdev -path /proc -prune -o -path '*/mcr*' -not -path '/root/*' -print)
[[ -z $left ]] || { echo "left behind: $left" && exit 1; }
