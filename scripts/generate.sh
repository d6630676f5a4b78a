#!/usr/bin/env bash
# Generates every committed stub from proto/ into DIR (default: the checkout itself).
# Needs the tools that `make tools` installs; works offline.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-.}
export PATH="$PWD/.venv-proto/bin:$PWD/.tools/bin:$PWD/.tools/node_modules/.bin:$PATH"

mkdir -p "$out/src/mailvet/v1" "$out/clients/go" "$out/clients/typescript/src/gen"
buf generate --output "$out"
# grpc_python is no plugin of its own, it lives inside grpc_tools.protoc.
python -m grpc_tools.protoc -I proto --grpc_python_out="$out/src" proto/mailvet/v1/*.proto
# With source info, so that reflection serves our comments; Python's own gencode drops them.
python -m grpc_tools.protoc -I proto --include_imports --include_source_info \
    --descriptor_set_out="$out/src/mailvet/v1/mailvet.binpb" proto/mailvet/v1/*.proto
printf '"""Generated stubs of package mailvet.v1; never edited."""\n' > "$out/src/mailvet/v1/__init__.py"
# One module that has every generated one, for the package's face.
(cd "$out/clients/typescript/src/gen" && for file in mailvet/v1/*_pb.ts; do
    printf 'export * from "./%s.js";\n' "${file%.ts}"
done > index.ts)
