#!/usr/bin/env bash
# usage: recorded.sh [--write]
# Whether the proof held for the deployment files as they are; or records that it did.
set -euo pipefail
cd "$(dirname "$0")/../.."

record=tests/deploy/proven
files=(Dockerfile .dockerignore docker-compose.aws.yml .env.aws deploy-aws-simple.sh smoke-test.sh
  infra/*.yaml tests/deploy/*.sh tests/deploy/*.py tests/deploy/*.txt)
now=$(sha256sum "${files[@]}" | sha256sum | cut -d ' ' -f 1)

case ${1:-} in
--write)
  # The proof is of what is committed.
  if git diff --quiet HEAD -- "${files[@]}"; then
    printf '%s\n' "$now" >"$record"
  else
    echo "not recorded: there are changes to the deployment files that are not committed" >&2
  fi
  ;;
*) [ -e "$record" ] && [ "$(cat "$record")" = "$now" ] ;;
esac
