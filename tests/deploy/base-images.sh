#!/usr/bin/env bash
# usage: base-images.sh DIRECTORY
# The base images that the deployment files name: as they are, pulled, or, where no
# registry answers, made here of Debian's packages, this machine's Rust, and the
# DynamoDB Local of the test suite. Such a stand-in shows that the files work; it is
# not what users build on. It is kept under a name of its own, and only has the real one
# until the proof ends: DIRECTORY/borrowed lists the names that are to be given back.
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
mkdir -p "$directory"
: >"$directory/borrowed"

there() { "$docker" image inspect "$1" >/dev/null 2>&1; }

# Whether a registry answers shows quickly; what it then has to send may take long.
pulled() {
  there "$1" && return
  timeout 20 "$docker" manifest inspect "$1" >/dev/null 2>&1 || return 1
  timeout 900 "$docker" pull --quiet "$1" >/dev/null
}

# lend NAME STAND-IN
lend() {
  echo "lending a stand-in the name $1"
  printf '%s\n' "$1" >>"$directory/borrowed"
  "$docker" tag "$2" "$1"
}

debian() {
  if ! there clarity-stand-in/debian; then
    rm -rf "$directory/debian"
    debootstrap --variant=minbase --include=ca-certificates,curl bookworm "$directory/debian" >"$directory/debootstrap.log"
    # Authorities that this machine trusts beyond Debian's.
    cp /etc/ssl/certs/ca-certificates.crt "$directory/debian/etc/ssl/certs/"
    tar --directory "$directory/debian" --create . | "$docker" import - clarity-stand-in/debian >/dev/null
    rm -rf "$directory/debian"
  fi
}

if ! pulled "$rust"; then
  stand_in=clarity-stand-in/$rust
  if ! there "$stand_in"; then
    echo "making a stand-in for $rust"
    debian
    context=$directory/rust
    rm -rf "$context"
    mkdir -p "$context"
    cp -a "$(rustc --print sysroot)" "$context/toolchain"
    rm -rf "$context/toolchain/share"
    cat >"$context/Dockerfile" <<'TEXT'
FROM clarity-stand-in/debian
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
COPY toolchain /usr/local/toolchain
ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/toolchain/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
TEXT
    "$docker" build --quiet --tag "$stand_in" "$context" >/dev/null
    rm -rf "$context"
  fi
  lend "$rust" "$stand_in"
fi

if ! pulled "$dynamodb"; then
  stand_in=clarity-stand-in/$dynamodb
  if ! there "$stand_in"; then
    echo "making a stand-in for $dynamodb"
    debian
    context=$directory/dynamodb
    rm -rf "$context"
    mkdir -p "$context"
    (cd "$context" && npm pack --silent amplify-dynamodb-simulator@2.9.30 >/dev/null && tar -xzf ./*.tgz && mv package/emulator home)
    cat >"$context/Dockerfile" <<'TEXT'
FROM clarity-stand-in/debian
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless && rm -rf /var/lib/apt/lists/*
COPY home /home/dynamodblocal
WORKDIR /home/dynamodblocal
ENTRYPOINT ["java"]
CMD ["-jar", "DynamoDBLocal.jar", "-inMemory"]
TEXT
    "$docker" build --quiet --tag "$stand_in" "$context" >/dev/null
    rm -rf "$context"
  fi
  lend "$dynamodb" "$stand_in"
fi
