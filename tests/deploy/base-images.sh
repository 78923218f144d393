#!/usr/bin/env bash
# usage: base-images.sh DIRECTORY
# The base images that the deployment files name: as they are, pulled, or, where no
# registry answers, made here of Debian's packages, this machine's Rust, and the
# DynamoDB Local of the test suite. Such a stand-in shows that the files work; it is
# not what users build on.
set -euo pipefail

docker=${DOCKER:-docker}
directory=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
rust=$(sed -n 's/^FROM [^ ]* \(rust:[^ ]*\) AS build$/\1/p' "$root/Dockerfile")
dynamodb=$(sed -n 's/^ *image: \(amazon\/dynamodb-local:.*\)$/\1/p' "$root/docker-compose.aws.yml")
[ -n "$rust" ] && [ -n "$dynamodb" ] || {
  echo "the deployment files name no base images any more" >&2
  exit 1
}

there() { "$docker" image inspect "$1" >/dev/null 2>&1 || timeout 20 "$docker" pull --quiet "$1" >/dev/null 2>&1; }

debian() {
  if ! "$docker" image inspect clarity-debian >/dev/null 2>&1; then
    rm -rf "$directory/debian"
    debootstrap --variant=minbase --include=ca-certificates,curl bookworm "$directory/debian" >"$directory/debootstrap.log"
    # Authorities that this machine trusts beyond Debian's.
    cp /etc/ssl/certs/ca-certificates.crt "$directory/debian/etc/ssl/certs/"
    tar --directory "$directory/debian" --create . | "$docker" import - clarity-debian >/dev/null
    rm -rf "$directory/debian"
  fi
}

mkdir -p "$directory"
if ! there "$rust"; then
  echo "making a stand-in for $rust"
  debian
  context=$directory/rust
  rm -rf "$context"
  mkdir -p "$context"
  cp -a "$(rustc --print sysroot)" "$context/toolchain"
  rm -rf "$context/toolchain/share"
  cat >"$context/Dockerfile" <<'TEXT'
FROM clarity-debian
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY toolchain /usr/local/toolchain
ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/toolchain/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
TEXT
  "$docker" build --quiet --tag "$rust" "$context" >/dev/null
  rm -rf "$context"
fi

if ! there "$dynamodb"; then
  echo "making a stand-in for $dynamodb"
  debian
  context=$directory/dynamodb
  rm -rf "$context"
  mkdir -p "$context"
  (cd "$context" && npm pack --silent amplify-dynamodb-simulator@2.9.30 >/dev/null && tar -xzf ./*.tgz && mv package/emulator home)
  cat >"$context/Dockerfile" <<'TEXT'
FROM clarity-debian
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless && rm -rf /var/lib/apt/lists/*
COPY home /home/dynamodblocal
WORKDIR /home/dynamodblocal
ENTRYPOINT ["java"]
CMD ["-jar", "DynamoDBLocal.jar", "-inMemory"]
TEXT
  "$docker" build --quiet --tag "$dynamodb" "$context" >/dev/null
  rm -rf "$context"
fi
