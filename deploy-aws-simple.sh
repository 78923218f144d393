#!/usr/bin/env bash
# From a clone to a running service on ECS Fargate, and back. See --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: deploy-aws-simple.sh [options]              deploy the commit that is checked out
       deploy-aws-simple.sh --rollback [options]   go back to the version before
       deploy-aws-simple.sh --destroy [options]    delete all but data, secrets and images

Needs Docker, Git, curl and the AWS CLI with credentials. Run again after whatever
happened: what is there already stays as it is.

  --region REGION         AWS region [AWS_REGION, or that of the profile]
  --stack NAME            stack, cluster and service [clarity-backend]
  --parameter NAME=VALUE  of the template, such as CertificateArn=arn:…; kept for later
                          runs; may be repeated
  --api-key-file FILE     take the key that clients send from FILE, - for standard
                          input; without it one is made the first time
  --gemini-key-file FILE  take the key for Gemini from FILE, - for standard input;
                          without it statistics answer questions
  --architecture ARCH     amd64 or arm64 [amd64]
  --url URL               where to send the smoke test, if not to the stack's own URL
  --template FILE         [infra/clarity-backend.yaml beside this script]
  --timeout SECONDS       for a roll-out [1800]
  --dry-run               check everything, say what would be done, change nothing
  --yes                   do not ask
  -h, --help

Exit code 0: the new version serves and passed the smoke test. 1: it does not; what it
says tells why, and what serves. 2: something is missing, and what serves was not
touched.
TEXT
}

here=$(cd "$(dirname "$0")" && pwd)
repository=clarity-backend
api_keys_secret=clarity/api-keys
gemini_secret=clarity/gemini-api-key

action=deploy
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}
stack=clarity-backend
architecture=amd64
template=$here/infra/clarity-backend.yaml
timeout=1800
url=
api_key_file=
gemini_key_file=
dry_run=false
yes=false
parameters=()

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Events of the stack that were there before or are printed already, and those that say
# what failed.
seen_events=$work/seen-events
failed_events=$work/failed-events
: >"$failed_events"

# --- Telling --------------------------------------------------------------------

step() { printf '==> %s\n' "$*"; }
say() { printf '    %s\n' "$*"; }

# Something is missing, and what serves was not touched.
refuse() {
  printf 'deploy-aws-simple.sh: %s\n' "$*" >&2
  exit 2
}

# Runs a command that changes something, or says that it would.
change() {
  local what=$1
  shift
  if $dry_run; then
    say "would $what"
  else
    say "$what"
    "$@" >/dev/null
  fi
}

confirm() {
  local question=$1 wanted=$2 answer
  if $yes || $dry_run; then return; fi
  [ -t 0 ] || refuse "$question Say so with --yes"
  read -r -p "$question Type $wanted to go on: " answer
  [ "$answer" = "$wanted" ] || refuse "not confirmed"
}

# --- Asking AWS -------------------------------------------------------------------

# What a query gives as text; nothing where AWS has nothing, or has no such thing.
ask() {
  local answer
  answer=$(aws "$@" --output text 2>/dev/null) || return 0
  [ "$answer" = None ] || printf '%s' "$answer"
}

stack_status() { ask cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].StackStatus'; }

stack_output() {
  ask cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue | [0]"
}

# The value of a template's parameter: given now, or as the stack has it, or default.
parameter() {
  local name=$1 default=$2 pair value
  for pair in ${parameters[@]+"${parameters[@]}"}; do
    case $pair in "$name="*)
      printf '%s' "${pair#*=}"
      return
      ;;
    esac
  done
  value=$(ask cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].Parameters[?ParameterKey=='$name'].ParameterValue | [0]")
  printf '%s' "${value:-$default}"
}

service() { ask ecs describe-services --cluster "$stack" --services "$stack" --query "services[?status=='ACTIVE'] | [0].$1"; }

# --- Checks, which change nothing -------------------------------------------------------

check_tools() {
  local tool
  for tool in aws curl "$@"; do
    command -v "$tool" >/dev/null || refuse "$tool is not installed"
  done
  aws --version
}

check_identity() {
  [ -n "$region" ] || region=$(aws configure get region || true)
  [ -n "$region" ] || refuse "no region: give --region, or set AWS_REGION"
  [[ "$region" =~ ^[a-z]{2}(-[a-z]+)+-[0-9]+$ ]] || refuse "$region is not a region such as eu-central-1"
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region AWS_PAGER=
  local identity
  identity=$(aws sts get-caller-identity --query '[Account,Arn]' --output text) ||
    refuse "AWS does not know who you are: run 'aws configure' or 'aws sso login', or set AWS_PROFILE"
  account=${identity%%[[:space:]]*}
  say "account $account, region $region, as ${identity##*[[:space:]]}"
}

check_template() {
  [ -r "$template" ] || refuse "cannot read $template"
  if command -v cfn-lint >/dev/null; then
    cfn-lint --ignore-checks W -- "$template" >&2 || refuse "cfn-lint finds faults in $template"
  fi
  aws cloudformation validate-template --template-body "file://$template" >/dev/null || refuse "AWS does not take $template"
  say "the template is valid"
}

check_source() {
  revision=$(git -C "$here" rev-parse --short=12 HEAD) || refuse "$here is not a Git clone with a commit"
  [ -z "$(git -C "$here" status --porcelain)" ] || refuse "there are changes that are not committed, so the image would not be that of its revision"
  [ "$architecture" = amd64 ] || [ "$architecture" = arm64 ] || refuse "--architecture must be amd64 or arm64"
  tag=$revision-$architecture
  say "revision $revision for $architecture"
}

check_docker() {
  docker info >/dev/null 2>&1 || refuse "Docker does not answer: start it, or add yourself to the group docker"
}

# A stack that waits for something is waited for; one that cannot go on is named.
check_stack() {
  local status end=$((SECONDS + timeout))
  while status=$(stack_status) && [[ "$status" == *_IN_PROGRESS && "$status" != REVIEW_IN_PROGRESS ]]; do
    [ "$SECONDS" -lt "$end" ] || refuse "the stack is still $status after $timeout s"
    say "the stack is $status, waiting"
    sleep 5
  done
  case $status in
  *_FAILED)
    [ "$action" = destroy ] || refuse "the stack is $status: see 'aws cloudformation describe-stack-events --stack-name $stack', then run 'aws cloudformation continue-update-rollback --stack-name $stack', or --destroy"
    ;;
  esac
  say "stack $stack: ${status:-not there yet}"
}

# A table outlives its stack, and may be that of the service before this one.
check_table() {
  local table status index
  table=$(parameter TableName clarity-health-data)
  create_table=true
  if [ -z "$(ask cloudformation describe-stack-resource --stack-name "$stack" --logical-resource-id Table --query StackResourceDetail.PhysicalResourceId)" ]; then
    status=$(ask dynamodb describe-table --table-name "$table" --query Table.TableStatus)
    if [ -n "$status" ]; then
      create_table=false
      index=$(ask dynamodb describe-table --table-name "$table" --query "Table.GlobalSecondaryIndexes[?IndexName=='by-type'].IndexName | [0]")
      [ -n "$index" ] || refuse "the table $table, which is there already, lacks the index by-type. Add it with:
  aws dynamodb update-table --table-name $table \\
    --attribute-definitions AttributeName=type_key,AttributeType=S AttributeName=data_id,AttributeType=S \\
    --global-secondary-index-updates '[{\"Create\":{\"IndexName\":\"by-type\",\"KeySchema\":[{\"AttributeName\":\"type_key\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"data_id\",\"KeyType\":\"RANGE\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}}]'"
    fi
  fi
  if $create_table; then say "table $table: the stack's own"; else say "table $table: there already, and kept as it is"; fi
}

# --- What comes before the stack ------------------------------------------------------

ensure_ecs_role() {
  # ECS makes it by itself when an account uses it first, but too late for that use.
  [ -n "$(ask iam list-roles --path-prefix /aws-service-role/ecs.amazonaws.com/ --query 'Roles[0].RoleName')" ] ||
    change "make the account's service-linked role for ECS" aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com
}

ensure_repository() {
  local state
  state=$(ask ecr describe-repositories --repository-names "$repository" --query 'repositories[0].[imageTagMutability,imageScanningConfiguration.scanOnPush]')
  if [ -z "$state" ]; then
    change "make the image repository $repository" aws ecr create-repository --repository-name "$repository" \
      --image-tag-mutability IMMUTABLE --image-scanning-configuration scanOnPush=true --tags "Key=project,Value=$repository"
    return
  fi
  case $state in IMMUTABLE*) ;; *)
    change "make the repository's tags immutable" aws ecr put-image-tag-mutability --repository-name "$repository" --image-tag-mutability IMMUTABLE
    ;;
  esac
  case $state in *True) ;; *)
    change "have pushed images scanned" aws ecr put-image-scanning-configuration --repository-name "$repository" --image-scanning-configuration scanOnPush=true
    ;;
  esac
}

image_digest() { ask ecr describe-images --repository-name "$repository" --image-ids "imageTag=$tag" --query 'imageDetails[0].imageDigest'; }

# Sets image, by its digest.
ensure_image() {
  local digest uri registry log
  digest=$(image_digest)
  if [ -z "$digest" ]; then
    if $dry_run; then
      say "would build $repository:$tag and push it"
      image="$repository@(the digest of what is built)"
      return
    fi
    uri=$(aws ecr describe-repositories --repository-names "$repository" --query 'repositories[0].repositoryUri' --output text)
    registry=${uri%%/*}
    say "build $uri:$tag"
    log=$work/build-log
    # A plain image, without attestations that would make it an index.
    if ! DOCKER_BUILDKIT=1 BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker build --platform "linux/$architecture" \
      --build-arg "REVISION=$(git -C "$here" rev-parse HEAD)" \
      --build-arg "VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/Cargo.toml" | head -n 1)" \
      --build-arg "CREATED=$(TZ=UTC git -C "$here" log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)" \
      --tag "$uri:$tag" "$here" >"$log" 2>&1; then
      tail -n 40 "$log" >&2
      refuse "the image cannot be built"
    fi
    say "push it"
    aws ecr get-login-password | docker login --username AWS --password-stdin "$registry" >/dev/null 2>&1 ||
      refuse "cannot sign in to $registry"
    docker push --quiet "$uri:$tag" >/dev/null || refuse "cannot push to $registry"
    docker logout "$registry" >/dev/null 2>&1 || true
    digest=$(image_digest)
    [ -n "$digest" ] || refuse "$uri:$tag is not there after the push"
  fi
  image=$(aws ecr describe-repositories --repository-names "$repository" --query 'repositories[0].repositoryUri' --output text)@$digest
  say "image $image"
}

# ensure_secret NAME FILE MAKE: it has the content of the file, if one is given; if it is
# not there, and MAKE is true, it gets a random value. Values never are arguments, which
# others can see. Sets secret to its ARN, and secrets_changed.
ensure_secret() {
  local name=$1 file=$2 make=$3 value='' current=''
  secret=$(ask secretsmanager describe-secret --secret-id "$name" --query ARN)
  if [ -n "$(ask secretsmanager describe-secret --secret-id "$name" --query DeletedDate)" ]; then
    refuse "the secret $name is being deleted; keep it with: aws secretsmanager restore-secret --secret-id $name"
  fi
  if [ -n "$file" ]; then
    if [ "$file" = - ]; then value=$(cat); else value=$(cat "$file") || refuse "cannot read $file"; fi
    [ -n "$value" ] || refuse "there is nothing in $file for the secret $name"
  fi
  if [ -z "$secret" ]; then
    if [ -z "$value" ] && $make; then value=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n'); fi
    [ -n "$value" ] || return 0
    if $dry_run; then
      say "would make the secret $name"
      secret=arn:aws:secretsmanager:$region:$account:secret:$name
      return
    fi
    say "make the secret $name"
    secret=$(printf '%s' "$value" | aws secretsmanager create-secret --name "$name" --secret-string file:///dev/stdin --query ARN --output text)
  elif [ -n "$value" ]; then
    current=$(ask secretsmanager get-secret-value --secret-id "$name" --query SecretString)
    if [ "$current" != "$value" ]; then
      secrets_changed=true
      if $dry_run; then
        say "would give the secret $name its new value"
      else
        say "give the secret $name its new value"
        printf '%s' "$value" | aws secretsmanager put-secret-value --secret-id "$name" --secret-string file:///dev/stdin >/dev/null
      fi
    fi
  fi
  say "secret $name"
}

# --- The stack ------------------------------------------------------------------------

# Prints the events of the stack that are new.
print_new_events() {
  local id status name reason
  ask cloudformation describe-stack-events --stack-name "$stack" --max-items 200 \
    --query 'reverse(StackEvents[].[EventId,ResourceStatus,LogicalResourceId,ResourceStatusReason])' >"$work/events"
  while IFS=$'\t' read -r id status name reason || [ -n "${id:-}" ]; do
    if [ -z "${status:-}" ] || grep -qxF -- "$id" "$seen_events"; then continue; fi
    printf '%s\n' "$id" >>"$seen_events"
    case ${reason:-None} in None) reason= ;; *) reason=": $reason" ;; esac
    say "$status $name$reason"
    case $status in *_FAILED) printf '%s%s\n' "$name" "$reason" >>"$failed_events" ;; esac
  done <"$work/events"
}

deploy_stack() {
  local overrides pid code=0 end=$((SECONDS + timeout)) log
  overrides=("ImageUri=$image" "RepositoryName=$repository" "ApiKeysSecretArn=$api_keys" "CreateTable=$create_table")
  case $architecture in amd64) overrides+=(CpuArchitecture=X86_64) ;; arm64) overrides+=(CpuArchitecture=ARM64) ;; esac
  [ -z "$gemini_key" ] || overrides+=("GeminiApiKeySecretArn=$gemini_key")
  overrides+=(${parameters[@]+"${parameters[@]}"})
  if $dry_run; then
    say "would create or update the stack $stack with:"
    printf '      %s\n' "${overrides[@]}"
    return
  fi
  if [ "$(stack_status)" = ROLLBACK_COMPLETE ]; then
    say "delete what is left of a stack that could not be created"
    aws cloudformation delete-stack --stack-name "$stack"
    aws cloudformation wait stack-delete-complete --stack-name "$stack"
  fi
  log=$work/stack-log
  ask cloudformation describe-stack-events --stack-name "$stack" --max-items 200 --query 'StackEvents[].[EventId]' >"$seen_events"
  aws cloudformation deploy --stack-name "$stack" --template-file "$template" --capabilities CAPABILITY_IAM \
    --no-fail-on-empty-changeset --tags "project=$repository" --parameter-overrides "${overrides[@]}" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    print_new_events
    [ "$SECONDS" -lt "$end" ] || kill "$pid" 2>/dev/null || true
    sleep 3
  done
  wait "$pid" || code=$?
  print_new_events
  if [ "$code" -ne 0 ]; then
    cat "$log" >&2
  elif grep -q '^No changes' "$log"; then
    say "nothing to change"
  fi
  [ "$code" -eq 0 ] || give_up "the stack could not be brought up to date"
}

# --- The roll-out -----------------------------------------------------------------------

# Says why the new tasks do not serve, and ends.
give_up() {
  local serving log_group stopped task reason
  : >"$work/tasks"
  printf '\ndeploy-aws-simple.sh: %s\n' "$1" >&2
  serving=$(service "deployments[?runningCount>\`0\`].taskDefinition | [0]")
  log_group=$(stack_output LogGroupName)
  {
    if [ -s "$failed_events" ]; then
      printf '\nFailed steps of the stack:\n'
      head -n 10 "$failed_events"
    fi
    printf '\nEvents of the service, newest first:\n'
    ask ecs describe-services --cluster "$stack" --services "$stack" --query 'services[0].events[:10].[createdAt,message]'
    # What a newer version replaced in good order tells nothing.
    stopped=$(ask ecs list-tasks --cluster "$stack" --family "$stack" --desired-status STOPPED --query 'taskArns[:100]')
    # shellcheck disable=SC2086 # one argument each
    [ -z "$stopped" ] || ask ecs describe-tasks --cluster "$stack" --tasks $stopped --query "reverse(sort_by(tasks[?taskDefinitionArn!='$serving' && stoppedAt], &stoppedAt))[:3].[taskArn,taskDefinitionArn,stoppedReason,containers[0].exitCode,containers[0].reason]" >"$work/tasks"
    while IFS=$'\t' read -r task reason || [ -n "${task:-}" ]; do
      printf '\nStopped task: %s\n%s\n' "${task##*/}" "$reason"
      ask logs get-log-events --log-group-name "${log_group:-/ecs/$stack}" --log-stream-name "service/clarity-backend/${task##*/}" \
        --limit 10 --query 'events[].[message]'
    done <"$work/tasks"
    printf '\nServing on: %s\n' "${serving:-nothing}"
  } >&2
  exit 1
}

# Waits until the service runs this version and no other.
wait_for_rollout() {
  local wanted=$1 primary state running desired line last='' end=$((SECONDS + timeout)) seen_it=false
  while :; do
    read -r primary state running desired <<<"$(service "deployments[?status=='PRIMARY'] | [0].[taskDefinition,rolloutState,runningCount,desiredCount]")" || true
    if [ "${primary:-}" = "$wanted" ]; then
      seen_it=true
      line="$state, $running of $desired tasks run"
      [ "$line" = "$last" ] || say "$line"
      last=$line
      case $state in
      COMPLETED) if [ "$running" -ge "$desired" ]; then return 0; fi ;;
      FAILED) give_up "the roll-out of $wanted failed" ;;
      esac
    elif $seen_it || [ "$SECONDS" -ge "$((end - timeout + 30))" ]; then
      give_up "the service went back to ${primary:-nothing} in place of $wanted"
    fi
    [ "$SECONDS" -lt "$end" ] || give_up "the roll-out of $wanted took longer than $timeout s"
    sleep 3
  done
}

# An update of the service that the stack does not know of.
update_service() {
  aws ecs update-service --cluster "$stack" --service "$stack" "$@" >/dev/null
}

smoke_test() {
  [ -n "$url" ] || url=$(stack_output Url)
  CLARITY_API_KEY=$(aws secretsmanager get-secret-value --secret-id "$api_keys_secret" --query SecretString --output text)
  export CLARITY_API_KEY
  if ! SMOKE_TIMEOUT=120 "$here/smoke-test.sh" "$url" | sed 's/^/    /'; then
    printf 'deploy-aws-simple.sh: the smoke test failed; the version before comes back with --rollback\n' >&2
    exit 1
  fi
}

# --- Actions ----------------------------------------------------------------------------

deploy() {
  local wanted
  step "Checking"
  check_tools git docker
  check_identity
  check_template
  check_source
  check_docker
  check_stack
  check_table
  confirm "Deploy revision $revision as $stack to account $account in $region?" yes

  step "Image"
  ensure_ecs_role
  ensure_repository
  ensure_image

  step "Secrets"
  secrets_changed=false
  ensure_secret "$api_keys_secret" "$api_key_file" true
  api_keys=$secret
  ensure_secret "$gemini_secret" "$gemini_key_file" false
  gemini_key=$secret

  step "Stack"
  deploy_stack
  if $dry_run; then
    step "Nothing was changed"
    return
  fi

  step "Roll-out"
  wanted=$(stack_output TaskDefinitionArn)
  # A roll-back, or one that ECS made, is behind the stack's back.
  if [ "$(service taskDefinition)" != "$wanted" ]; then
    say "bring the service to the stack's version"
    update_service --task-definition "$wanted"
  elif $secrets_changed; then
    say "start tasks anew, which read the new secrets"
    update_service --force-new-deployment
  fi
  wait_for_rollout "$wanted"

  step "Smoke test"
  smoke_test

  step "Serving revision $revision at $(stack_output Url)"
  say "the key that clients send: aws secretsmanager get-secret-value --region $region --secret-id $api_keys_secret --query SecretString --output text"
}

rollback() {
  local current previous='' candidate
  step "Checking"
  check_tools
  check_identity
  check_stack
  current=$(service taskDefinition)
  [ -n "$current" ] || refuse "there is no service $stack"
  for candidate in $(ask ecs list-task-definitions --family-prefix "$stack" --status ACTIVE --sort DESC --query taskDefinitionArns); do
    if [ "${candidate##*/}" != "${current##*/}" ] && [ "${candidate##*:}" -lt "${current##*:}" ]; then
      previous=$candidate
      break
    fi
  done
  [ -n "$previous" ] || refuse "there is no version before $current"
  say "now ${current##*/}, before ${previous##*/}"
  confirm "Go back from ${current##*/} to ${previous##*/}?" yes

  step "Roll-out"
  change "bring the service to ${previous##*/}" update_service --task-definition "$previous"
  if $dry_run; then return; fi
  wait_for_rollout "$previous"

  step "Smoke test"
  smoke_test

  step "Serving ${previous##*/} at $(stack_output Url)"
  say "the next deployment goes forward again"
}

destroy() {
  local table
  step "Checking"
  check_tools
  check_identity
  check_stack
  [ -n "$(stack_status)" ] || {
    step "There is no stack $stack"
    return
  }
  table=$(parameter TableName clarity-health-data)
  confirm "This deletes the stack $stack in account $account, and nobody is served any more. The table $table stays." "$stack"

  step "Stack"
  change "delete the stack $stack" aws cloudformation delete-stack --stack-name "$stack"
  if $dry_run; then return; fi
  aws cloudformation wait stack-delete-complete --stack-name "$stack" || give_up "the stack could not be deleted"

  step "Deleted. What stays, and what would delete it for good:"
  say "aws dynamodb update-table --region $region --table-name $table --no-deletion-protection-enabled && aws dynamodb delete-table --region $region --table-name $table"
  say "aws secretsmanager delete-secret --region $region --secret-id $api_keys_secret"
  say "aws secretsmanager delete-secret --region $region --secret-id $gemini_secret"
  say "aws ecr delete-repository --region $region --repository-name $repository --force"
}

while [ $# -gt 0 ]; do
  case $1 in
  --dry-run) dry_run=true ;;
  --yes) yes=true ;;
  --rollback) action=rollback ;;
  --destroy) action=destroy ;;
  -h | --help)
    usage
    exit 0
    ;;
  --region | --stack | --parameter | --api-key-file | --gemini-key-file | --architecture | --url | --template | --timeout)
    [ $# -ge 2 ] || refuse "$1 needs a value"
    case $1 in
    --region) region=$2 ;;
    --stack) stack=$2 ;;
    --parameter)
      [[ "$2" == *=* ]] || refuse "--parameter must be NAME=VALUE"
      parameters+=("$2")
      ;;
    --api-key-file) api_key_file=$2 ;;
    --gemini-key-file) gemini_key_file=$2 ;;
    --architecture) architecture=$2 ;;
    --url) url=$2 ;;
    --template) template=$2 ;;
    --timeout) timeout=$2 ;;
    esac
    shift
    ;;
  *)
    usage >&2
    refuse "unknown option $1"
    ;;
  esac
  shift
done
[[ "$timeout" =~ ^[0-9]+$ ]] || refuse "--timeout must be a number of seconds"
[[ "$stack" =~ ^[a-zA-Z][a-zA-Z0-9-]{0,31}$ ]] || refuse "--stack must be letters, digits and hyphens, at most 32"

"$action"
