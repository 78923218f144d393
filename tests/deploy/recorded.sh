#!/usr/bin/env bash
# usage: recorded.sh [--hash | --write HASH]
# Whether the proof held for the deployment files as they are; or says what they are; or
# records that the proof held for what they were, if they still are.
set -euo pipefail
cd "$(dirname "$0")/../.."

record=tests/deploy/proven
files=(Dockerfile .dockerignore docker-compose.aws.yml .env.aws deploy-aws-simple.sh smoke-test.sh
  infra/*.yaml tests/deploy/*.sh tests/deploy/*.py tests/deploy/*.txt)
now=$(sha256sum "${files[@]}" | sha256sum | cut -d ' ' -f 1)

case ${1:-} in
--hash) printf '%s\n' "$now" ;;
--write)
  # The proof is of what is committed.
  if [ "$now" != "$2" ]; then
    echo "not recorded: the deployment files changed while the proof ran" >&2
    exit 1
  elif ! git diff --quiet HEAD -- "${files[@]}"; then
    echo "not recorded: there are changes to the deployment files that are not committed" >&2
    exit 1
  fi
  printf '%s\n' "$now" >"$record"
  ;;
*) [ -e "$record" ] && [ "$(cat "$record")" = "$now" ] ;;
esac
