#!/usr/bin/env bash
# Proves the deployment on one machine: the image, the compose file, and the deploy
# script against an emulator of AWS that runs real containers. Ends with
# `N passed, N failed`.
#
# Needs root, Python 3.11 or later with venv, Git and curl, and gets the rest: an engine
# from Debian's packages where none answers, emulators from PyPI, and, where no image
# registry answers, base images made of Debian's packages and this machine's compiler.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=tests/deploy
work=$PWD/${CARGO_TARGET_DIR:-target}/deploy-tools
mkdir -p "$work"

missing=()
command -v dockerd >/dev/null || missing+=(docker.io iptables)
for tool in debootstrap openssl socat; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$work/apt.log" 2>&1
fi
# Debian's client, which brings BuildKit along; another one may be first on the path.
export DOCKER=/usr/bin/docker DOCKER_BUILDKIT=1 PYTHONDONTWRITEBYTECODE=1
engine=
if ! "$DOCKER" info >/dev/null 2>&1; then
  nice dockerd >"$work/dockerd.log" 2>&1 &
  engine=$!
  for _ in $(seq 60); do
    if "$DOCKER" info >/dev/null 2>&1; then break; fi
    sleep 1
  done
fi
# Gives back the names that stand-ins had, so that nobody builds on them.
clean_up() {
  while IFS= read -r name; do
    "$DOCKER" rmi --no-prune "$name" >/dev/null 2>&1 || true
  done <"$work/base-images/borrowed"
  [ -z "$engine" ] || kill "$engine"
}
mkdir -p "$work/base-images"
: >"$work/base-images/borrowed"
trap clean_up EXIT

# What is recorded is what was there when the proof began.
before=$("$here/recorded.sh" --hash)
"$here/base-images.sh" "$work/base-images"

if ! cmp --silent "$here/requirements-emulators.txt" "$work/requirements-emulators.txt" || ! "$work/emulators/bin/python" -c ''; then
  rm -rf "$work/emulators"
  python3 -m venv "$work/emulators"
  "$work/emulators/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements-emulators.txt"
  cp "$here/requirements-emulators.txt" "$work/"
fi

# All of it can be recorded, a part cannot.
PATH="$work/emulators/bin:$(dirname "$DOCKER"):$PATH" timeout --kill-after=60 5400 \
  "$work/emulators/bin/python" "$here/prove.py" "$@"
[ $# -gt 0 ] || "$here/recorded.sh" --write "$before"
