#!/usr/bin/env bash
# Builds everything we publish into dist/, all of one version, and checks that each installs into an
# empty project and verifies one address. Publishes nothing. docs/releasing.md has the rest.
set -euo pipefail
cd "$(dirname "$0")/.."
bin="$PWD/.venv/bin" dist="$PWD/dist"
export PATH="$PATH:$PWD/.venv-proto/bin:$PWD/.tools/bin"
version=$("$bin/python" scripts/version.py --check)

rm -rf dist build && mkdir dist
"$bin/pip" install -q --disable-pip-version-check build==1.3.0
"$bin/python" -m build --outdir dist . > dist/build.log 2>&1 || { tail -20 dist/build.log >&2; exit 1; }
rm dist/build.log
scripts/compiled_wheel.sh dist
"$bin/python" scripts/write_protoset.py "dist/mailvet-$version.protoset"

(cd clients/typescript && npm install --silent --no-package-lock --no-audit --no-fund &&
    npm pack --silent --pack-destination "$dist" > /dev/null)

mvn -q -B -f clients/java/pom.xml -DskipTests clean package \
    org.apache.maven.plugins:maven-source-plugin:3.3.1:jar-no-fork \
    org.apache.maven.plugins:maven-javadoc-plugin:3.11.2:jar -Ddoclint=none
for part in "" -sources -javadoc; do
    jar=$(find clients/java/target -maxdepth 1 -regex ".*/mailvet-client\(-$version\)?$part\.jar")
    cp "$jar" "dist/mailvet-client-$version$part.jar"
done
cp clients/java/pom.xml "dist/mailvet-client-$version.pom"

scripts/check_release.sh dist
(cd dist && sha256sum -- * > SHA256SUMS)
echo "mailvet $version is in dist/; docs/releasing.md says how it is published"
