#!/bin/sh
# Proves, inside the image and as its user, that what a session promises is there. Prints one line a tool.
set -eu
check() { printf '%-7s %s\n' "$1" "$2"; }
want() { case "$2" in $3) check "$1" "$2" ;; *) echo "$1: wanted $3, found $2" >&2; exit 1 ;; esac; }

want python "$(python3 -c 'import platform; print(platform.python_version())')" '3.11.*'
want pandas "$(python3 -c 'import pandas; print(pandas.__version__)')" '[0-9]*'
want numpy "$(python3 -c 'import numpy; print(numpy.__version__)')" '[0-9]*'
want scipy "$(python3 -c 'import scipy; print(scipy.__version__)')" '[0-9]*'
python3 -c 'import pandas as p; assert p.DataFrame({"a": [1, 2]})["a"].sum() == 3'
python3 -c 'import scipy.linalg as l; assert l.det([[1, 2], [3, 4]]) < 0'
want pip "$(python3 -m pip --version | cut -d' ' -f2)" '[0-9]*'
want venv "$(python3 -c 'import venv, ensurepip; print("there")')" 'there'
want node "$(node --version)" 'v20.*'
want npm "$(npm --version)" '10.*'
want git "$(git --version | cut -d' ' -f3)" '2.*'
want curl "$(curl --version | head -n1 | cut -d' ' -f2)" '[0-9]*'
want make "$(make --version | head -n1 | cut -d' ' -f3)" '4.*'
want user "$(id -un)" 'slipway'
want utf-8 "$(printf 'é' | python3 -c 'import sys; print(len(sys.stdin.read()))')" '1'
! touch /usr/probe 2>/dev/null || { echo "the root is writable" >&2; exit 1; }
for place in /workspace /home/slipway /var/lib/slipway /run/slipway /opt/slipway/bin; do
  [ -d "$place" ] || { echo "$place is missing" >&2; exit 1; }
done
