#!/usr/bin/env bash
# Installs each package of DIST into an empty project, and has it verify one address at a server that
# was itself installed from the wheel. Stops at the first that does not.
set -euo pipefail
cd "$(dirname "$0")/.."
dist=$(cd "${1:-dist}" && pwd) repository="$PWD"
export PATH="$PATH:$repository/.venv-proto/bin:$repository/.tools/bin"
address=user1@plain.test
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null; rm -rf "$work"' EXIT

install() {  # NAME PACKAGE: a new environment with it
    python3 -m venv "$work/$1"
    "$work/$1/bin/pip" install -q --disable-pip-version-check "$2"
}
passed() {  # WHAT ANSWER
    case $2 in
        *SUCCESS* | 1) echo "$1: installs and verifies" ;;
        *) echo "$1: verified $address as '$2'" >&2 && exit 1 ;;
    esac
}

cd "$work"
pure=$(ls "$dist"/mailvet-*-none-any.whl)
# What pip takes where both are to be had: the compiled one, on the platform that built it.
python3 -m pip download -q --disable-pip-version-check --no-deps --no-index --find-links "$dist" -d fitting mailvet
fitting=$(ls "$PWD"/fitting/mailvet-*.whl)
install server "${fitting}[server]"
install pure "$pure"
case $(server/bin/mailvet --version) in *"(compiled)") ;; *) echo "the fitting wheel is not compiled" >&2; exit 1 ;; esac
case $(pure/bin/mailvet --version) in *"(compiled)") echo "the pure wheel is compiled" >&2; exit 1 ;; esac
target=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print("127.0.0.1:%d" % s.getsockname()[1])')
touch server.log
server/bin/mailvet demo --keep --listen "$target" > server.log 2>&1 &
server=$!
for _ in $(seq 120); do
    grep -q "Kept running" server.log && break
    kill -0 "$server" 2> /dev/null || { cat server.log >&2; exit 1; }
    sleep 1
done

for kind in whl tar.gz; do
    install "client-$kind" "$(ls "$dist"/mailvet-*."$kind" | grep -v -e -cp)"
    passed "Python ($kind)" "$("client-$kind/bin/python" - << PROGRAM
import asyncio
from mailvet.client import connect
from mailvet.v1.status_pb2 import EntryStatus

async def main():
    async with connect("$target") as client:
        print(EntryStatus.Name((await client.verify_email("$address")).status))

asyncio.run(main())
PROGRAM
    )"
done

mkdir npm && cd npm
echo '{"type": "module"}' > package.json
npm install --silent --no-audit --no-fund "$dist"/mailvet-client-*.tgz
cat > main.js << PROGRAM
import { connect, EntryStatus } from "@mailvet/client";
const client = connect("$target");
console.log(EntryStatus[(await client.verifyEmail("$address")).status]);
process.exit(0);
PROGRAM
passed "TypeScript (npm)" "$(node main.js)"
cd ..

mkdir go && cd go
cat > main.go << PROGRAM
package main

import (
	"context"
	"fmt"

	mailvet "mailvet.dev/client"
)

func main() {
	client, err := mailvet.Connect("$target", mailvet.Options{})
	if err != nil {
		panic(err)
	}
	answer, err := client.VerifyEmail(context.Background(), "$address")
	if err != nil {
		panic(err)
	}
	fmt.Println(answer.Status)
}
PROGRAM
# The module as it stands in the checkout: it is published by a tag, there is nothing to pack.
go mod init empty.example 2> /dev/null
go mod edit -require=mailvet.dev/client@v0.0.0 -replace="mailvet.dev/client=$repository/clients/go"
go mod tidy 2> /dev/null
passed "Go (module)" "$(go run .)"
cd ..

mkdir -p java && cd java
jar=$(ls "$dist"/mailvet-client-*.jar | grep -v -e -sources -e -javadoc)
version=$(basename "$jar" .jar) version=${version#mailvet-client-}
mvn -q -B org.apache.maven.plugins:maven-install-plugin:3.1.3:install-file -Dfile="$jar" \
    -DpomFile="$dist/mailvet-client-$version.pom" -DlocalRepositoryPath="$work/repository"
cat > pom.xml << POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>empty</artifactId>
  <version>1</version>
  <repositories><repository><id>here</id><url>file://$work/repository</url></repository></repositories>
  <dependencies>
    <dependency><groupId>dev.mailvet</groupId><artifactId>mailvet-client</artifactId><version>$version</version></dependency>
  </dependencies>
</project>
POM
cat > Main.java << PROGRAM
import dev.mailvet.client.MailvetClient;
import dev.mailvet.client.Options;

public class Main {
  public static void main(String[] arguments) {
    try (var client = MailvetClient.connect("$target", Options.plain())) {
      System.out.println(client.verifyEmail("$address").getStatus());
    }
  }
}
PROGRAM
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory=lib
passed "Java (jar)" "$(java -cp 'lib/*' Main.java 2> java.log | tail -1)"
