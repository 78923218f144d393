#!/usr/bin/env bash
# Shows that a running service stores, gives back and deletes a reading.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: smoke-test.sh [URL]

  URL   where the service is, http://localhost:8000 if not given

Reads the API key from the variable CLARITY_API_KEY, or else from the file that
CLARITY_API_KEY_FILE names, or else takes development-key. SMOKE_TIMEOUT is how many
seconds the service may take to become ready, 60 if not set. With SMOKE_CONNECT_TO the
requests go to that host in place of the URL's, as before a name leads there.

Writes one reading of a user of its own, and deletes it again. Ends with
`N passed, N failed`, and exit code 1 if anything failed.
TEXT
}

case "${1:-}" in
-h | --help)
  usage
  exit 0
  ;;
-*)
  usage >&2
  exit 2
  ;;
esac

url=${1:-http://localhost:8000}
url=${url%/}
timeout=${SMOKE_TIMEOUT:-60}
if [ -n "${CLARITY_API_KEY:-}" ]; then
  key=$CLARITY_API_KEY
elif [ -n "${CLARITY_API_KEY_FILE:-}" ]; then
  key=$(<"$CLARITY_API_KEY_FILE")
else
  key=development-key
fi

command -v curl >/dev/null || {
  echo "smoke-test.sh needs curl" >&2
  exit 2
}

# A user nobody else has, so that two runs at once do not meet.
user="smoke-test-$(date +%s)-$$-$RANDOM"
timestamp=$(date -u +%Y-%m-%dT%H:%M:%SZ)
passed=0
failed=0
status=
body=

# Sends a request; the status and the body of the answer are in the variables of
# that name. The key goes over standard input: others can read a command line.
request() {
  local method=$1 path=$2 key=$3 data=${4:-} answer
  key=${key//\\/\\\\}
  key=${key//\"/\\\"}
  local options=(--silent --show-error --max-time 15 --request "$method" --write-out '\n%{http_code}')
  [ -z "${SMOKE_CONNECT_TO:-}" ] || options+=(--connect-to "::$SMOKE_CONNECT_TO:")
  [ -z "$data" ] || options+=(--header 'Content-Type: application/json' --data "$data")
  answer=$(
    { [ -z "$key" ] || printf 'header = "X-API-Key: %s"\n' "$key"; } |
      curl "${options[@]}" --config - "$url$path" 2>&1
  ) || true
  status=${answer##*$'\n'}
  body=${answer%$'\n'*}
}

# check NAME STATUS [PART OF THE BODY]...
check() {
  local name=$1 wanted=$2 part
  shift 2
  if [ "$status" != "$wanted" ]; then
    failed=$((failed + 1))
    printf 'FAILED  %s: answered %s in place of %s: %.300s\n' "$name" "$status" "$wanted" "$body"
    return
  fi
  for part; do
    if [[ "$body" != *"$part"* ]]; then
      failed=$((failed + 1))
      printf 'FAILED  %s: the answer lacks %s: %.300s\n' "$name" "$part" "$body"
      return
    fi
  done
  passed=$((passed + 1))
  printf 'ok      %s\n' "$name"
}

# Broken off, it leaves no reading behind.
id=
clean_up() { [ -z "$id" ] || request DELETE "/api/v1/data/$user/$id" "$key"; }
trap clean_up EXIT
trap 'exit 1' INT TERM

echo "Smoke test of $url"

end=$((SECONDS + timeout))
while request GET /health/ready "" && [ "$status" != 200 ] && [ "$SECONDS" -lt "$end" ]; do
  sleep 1
done
check "it is ready" 200 '"status":"ready"'

request GET /health ""
check "it lives" 200 '"status":"healthy"' '"service":"clarity-backend"'

request GET "/api/v1/data/$user" ""
check "nobody reads without a key" 401

reading="{\"user_id\":\"$user\",\"data_type\":\"heart_rate\",\"value\":72,\"timestamp\":\"$timestamp\",\"metadata\":{\"source\":\"smoke-test\"}}"
request POST /api/v1/data "$key" "$reading"
check "a reading is stored" 200 '"success":true' '"result":"stored"'
if [[ "$body" =~ \"data_id\":\"([0-9a-f-]{36})\" ]]; then id=${BASH_REMATCH[1]}; fi

request GET "/api/v1/data/$user?limit=10" "$key"
check "it is listed" 200 '"count":1' "\"data_id\":\"${id:-?}\""

request GET "/api/v1/data/$user/${id:-none}" "$key"
check "it is read back" 200 "\"timestamp\":\"$timestamp\"" '"value":72'

request DELETE "/api/v1/data/$user/${id:-none}" "$key"
check "it is deleted" 200 '"deleted":1'

request GET "/api/v1/data/$user/${id:-none}" "$key"
check "it is gone" 404
id=

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
