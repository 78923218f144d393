#!/usr/bin/env bash
# Verifies the service's guarantees under load: `verify.sh [--short] [PART...]`. The last
# line is `N passed, N failed`.
#
# Runs the release build, or the binary that CLARITY_BINARY names. Needs Rust, Java 17 or
# later, npm, tar, and Python 3.11 or later with venv. Installs the rest: haproxy and
# slowhttptest from Debian's packages, which needs root where they are missing,
# Schemathesis from PyPI and oha from crates.io.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=tests/load
work=${CARGO_TARGET_DIR:-target}
[ "${work#/}" != "$work" ] || work=$PWD/$work
tools=$work/load-tools
mkdir -p "$tools"
export PATH="$tools/bin:$work/tools/bin:$PATH" PYTHONDONTWRITEBYTECODE=1
export CLARITY_BINARY=${CLARITY_BINARY:-$work/release/clarity-backend}
[ -x "$CLARITY_BINARY" ] || {
  echo "$CLARITY_BINARY does not exist: run cargo build --locked --release" >&2
  exit 1
}

missing=()
for tool in haproxy slowhttptest; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$tools/apt.log" 2>&1
  # Debian starts the haproxy service on installation; it is not needed here.
  ! command -v service >/dev/null || service haproxy stop >/dev/null 2>&1 || true
fi

# Optimised, as it shares the machine with the service under test. Built once per version.
[ "$(oha --version 2>/dev/null)" = "oha 1.16.0" ] ||
  cargo install --locked --root "$work/tools" --target-dir "$work/tools/build" oha@1.16.0

# The clients of the parts from uploads on.
cargo build --quiet --locked --release --manifest-path "$here/clients/Cargo.toml" --target-dir "$tools/build"
export CLARITY_CLIENTS=$tools/build/release/clients

# Reinstalled when the pinned versions change.
if ! cmp --silent "$here/requirements.txt" "$tools/requirements.txt" || ! "$tools/python/bin/python" -c ''; then
  rm -rf "$tools/python"
  python3 -m venv "$tools/python"
  "$tools/python/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
  cp "$here/requirements.txt" "$tools/"
fi

# Both sides open thousands of connections.
ulimit -n "$(ulimit -Hn)"
exec timeout --kill-after=60 12600 "$tools/python/bin/python" "$here/verify.py" "$@"
