#!/bin/bash
# Inside the clean Debian: installs the package given, and what the test's nginx and CRIU link.
set -euo pipefail
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$1"
apt-get install -y -qq --no-install-recommends criu libpcre2-8-0 libssl3 zlib1g libcrypt1
mcr --help >/dev/null
