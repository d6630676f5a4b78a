#!/usr/bin/env bash
# Builds the clients that have to be built, where they lie: the TypeScript package and the Java jar.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:$PWD/.venv-proto/bin:$PWD/.tools/bin"
npm --prefix clients/typescript install --silent --no-package-lock --no-audit --no-fund
npm --prefix clients/typescript run --silent build
mvn -q -B -f clients/java/pom.xml package
