#!/usr/bin/env bash
# Regenerates every stub into a scratch folder and fails when it differs from what is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
scripts/generate.sh "$scratch"
for folder in src/mailvet/v1 clients/go/mailvetv1 clients/typescript/src/gen; do
    if ! diff -r -q -x __pycache__ "$scratch/$folder" "$folder"; then
        echo "generated code differs from proto/: run 'make proto' and commit the result" >&2
        exit 1
    fi
done
echo "generated code is up to date"
