#!/usr/bin/env bash
# Fails when proto/ breaks callers of the last release, whose descriptors are proto/released.binpb:
# docs/releasing.md has the rule. Another folder that has buf.yaml and proto/ may be named instead.
set -euo pipefail
cd "$(dirname "$0")/.."
root=${1:-.}
released=$root/proto/released.binpb
export PATH="$PWD/.venv-proto/bin:$PATH"
if [ ! -f "$released" ]; then
    echo "no release yet: everything in proto/ may change"
    exit 0
fi
buf breaking "$root" --against "$released" --exclude-imports
echo "nothing in proto/ breaks callers of the last release"
