#!/usr/bin/env bash
# From a clone to a running service on ECS Fargate, and back. See --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: deploy-aws-simple.sh [options]              deploy the commit that is checked out
       deploy-aws-simple.sh --configure [options]  change parameters and keys of what
                                                   runs, and nothing else
       deploy-aws-simple.sh --rollback [options]   go back to the image before
       deploy-aws-simple.sh --destroy [options]    delete all but data, secrets and images

Needs curl, the AWS CLI with credentials and, to deploy, Docker and Git. Run again after
whatever happened: what is there already stays as it is.

  --region REGION         AWS region [AWS_REGION, or that of the profile]
  --stack NAME            stack, cluster and service [clarity-backend]
  --parameter NAME=VALUE  of the template, such as CertificateArn=arn:…; kept for later
                          runs; may be repeated
  --api-keys-file FILE    take the list of keys that clients send from FILE, - for
                          standard input; without it one key is made the first time
  --gemini-key-file FILE  take the key for Gemini from FILE, - for standard input;
                          without it statistics answer questions
  --architecture ARCH     amd64 or arm64 [what runs, or else amd64]
  --url URL               where to send the smoke test, if not to the load balancer
  --template FILE         [infra/clarity-backend.yaml beside this script]
  --timeout SECONDS       for a roll-out [1800]
  --dry-run               check everything, say what would be done, change nothing
  --yes                   do not ask
  -h, --help

Exit code 0: what was asked for serves and passed the smoke test. 1: it does not; what it
says tells why, and what serves. 2: something is missing, and what serves was not
touched.
TEXT
}

here=$(cd "$(dirname "$0")" && pwd)
repository=clarity-backend

action=deploy
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-}}
stack=clarity-backend
architecture=
template=$here/infra/clarity-backend.yaml
timeout=1800
url=
api_keys_file=
gemini_key_file=
dry_run=false
yes=false
parameters=()

# What the template is asked for beyond the parameters that were given.
overrides=()
# Whether the stack was touched, and whether it was told why this ends.
touched=false
told=false
# The task definition and the versions of the secrets that served before.
served=
served_secrets=

export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=6 AWS_PAGER=
work=$(mktemp -d)
# Events of the stack that were there before or are printed already, and those that say
# what failed.
seen_events=$work/seen-events
failed_events=$work/failed-events
: >"$failed_events"

finish() {
  local code=$?
  trap - EXIT
  rm -rf "$work"
  if [ "$code" -ne 0 ] && ! $told; then
    code=2
    if $touched; then code=1; fi
    echo "deploy-aws-simple.sh: broken off by the fault above; run it again" >&2
  fi
  exit "$code"
}
trap finish EXIT

# --- Telling --------------------------------------------------------------------

step() { printf '==> %s\n' "$*"; }
say() { printf '    %s\n' "$*"; }

# Something is missing, and what serves was not touched.
refuse() {
  printf 'deploy-aws-simple.sh: %s\n' "$*" >&2
  told=true
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

# What AWS says of what is not there. Whatever else goes wrong is no answer.
absent='\(([A-Za-z]*NotFound[A-Za-z]*|NoSuchEntity)\) when|\(ValidationError\) when .* does not exist'

# What a query gives as text; nothing where AWS has nothing, or has no such thing. Fails,
# and says why, when AWS does not answer or does not allow to ask.
ask() {
  local answer refusal
  refusal=$(mktemp "$work/refusal.XXXXXX")
  if answer=$(aws "$@" --output text 2>"$refusal"); then
    [ "$answer" = None ] || printf '%s' "$answer"
  elif ! grep -qE "$absent" "$refusal"; then
    cat "$refusal" >&2
    return 1
  fi
}

stack_value() { ask cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].$1"; }
stack_status() { stack_value StackStatus; }
stack_output() { stack_value "Outputs[?OutputKey=='$1'].OutputValue | [0]"; }
stack_parameter() { stack_value "Parameters[?ParameterKey=='$1'].ParameterValue | [0]"; }

# The value of a parameter that was given now; fails without one.
given() {
  local pair
  for pair in ${parameters[@]+"${parameters[@]}"}; do
    case $pair in "$1="*)
      printf '%s' "${pair#*=}"
      return
      ;;
    esac
  done
  return 1
}

# The value of a template's parameter: given now, or as the stack has it, or default.
parameter() {
  local name=$1 default=$2 value
  if given "$name"; then return; fi
  value=$(stack_parameter "$name") || return
  printf '%s' "${value:-$default}"
}

service() { ask ecs describe-services --cluster "$stack" --services "$stack" --query "services[?status=='ACTIVE'] | [0].$1"; }

misses=0
# poll VARIABLE COMMAND...: what the command prints is in the variable. It may fail a few
# times in a row, as when the network does; the next round asks again.
poll() {
  local name=$1 answer
  shift
  if answer=$("$@" 2>"$work/miss"); then
    misses=0
    printf -v "$name" '%s' "$answer"
    return
  fi
  misses=$((misses + 1))
  if [ "$misses" -ge 10 ]; then
    cat "$work/miss" >&2
    told=true
    echo "deploy-aws-simple.sh: AWS does not answer any more. What was begun goes on there; run this again to see" >&2
    exit 1
  fi
  return 1
}

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
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
  local identity
  identity=$(aws sts get-caller-identity --query '[Account,Arn]' --output text) ||
    refuse "AWS does not know who you are: run 'aws configure' or 'aws sso login', or set AWS_PROFILE"
  account=${identity%%[[:space:]]*}
  bucket=clarity-backend-templates-$account-$region
  say "account $account, region $region, as ${identity##*[[:space:]]}"
}

check_template() {
  [ -r "$template" ] || refuse "cannot read $template"
  if command -v cfn-lint >/dev/null; then
    cfn-lint --ignore-checks W -- "$template" >&2 || refuse "cfn-lint finds faults in $template"
    say "the template is valid"
  fi
}

check_source() {
  local changes
  revision=$(git -C "$here" rev-parse --short=12 HEAD) || refuse "$here is not a Git clone with a commit"
  changes=$(git -C "$here" status --porcelain --untracked-files=no)
  # What goes into the image, files that Git does not know of too.
  changes+=$(git -C "$here" status --porcelain -- Cargo.toml Cargo.lock build.rs Dockerfile .dockerignore benches src)
  [ -z "$changes" ] || refuse "there are changes that are not committed, so the image would not be that of its revision"
  say "revision $revision"
}

check_docker() {
  docker info >/dev/null 2>&1 || refuse "Docker does not answer: start it, or add yourself to the group docker"
}

# What is asked for, or what runs.
check_architecture() {
  local cpu
  if [ -z "$architecture" ]; then
    cpu=$(parameter CpuArchitecture X86_64)
    case $cpu in ARM64) architecture=arm64 ;; *) architecture=amd64 ;; esac
  fi
  [ "$architecture" = amd64 ] || [ "$architecture" = arm64 ] || refuse "--architecture must be amd64 or arm64"
  tag=$revision-$architecture
  say "for $architecture"
}

# A stack that waits for something is waited for; one that cannot go on is named. Sets
# there, which is false of what is left of a stack that could not be created.
check_stack() {
  local status end=$((SECONDS + timeout))
  status=$(stack_status)
  while [[ "$status" == *_IN_PROGRESS && "$status" != REVIEW_IN_PROGRESS ]]; do
    [ "$SECONDS" -lt "$end" ] || refuse "the stack is still $status after $timeout s"
    say "the stack is $status, waiting"
    sleep 5
    status=$(stack_status)
  done
  case $status in
  *_FAILED)
    [ "$action" = destroy ] || refuse "the stack is $status: see 'aws cloudformation describe-stack-events --stack-name $stack', then run 'aws cloudformation continue-update-rollback --stack-name $stack', or --destroy"
    ;;
  esac
  case $status in
  '' | ROLLBACK_COMPLETE | REVIEW_IN_PROGRESS | DELETE_COMPLETE) there=false ;;
  *)
    there=true
    served_secrets=$(stack_parameter SecretVersions)
    ;;
  esac
  say "stack $stack: ${status:-not there yet}"
  # A stack of another name has secrets of its own.
  local prefix=clarity
  [ "$stack" = clarity-backend ] || prefix=$stack
  api_keys_secret=$prefix/api-keys
  service_secret=$prefix/service-secret
  gemini_secret=$prefix/gemini-api-key
  client_key_secret=$prefix/client-key
  smoke_key_secret=$prefix/smoke-test-key
}

check_there() {
  $there || refuse "there is no service $stack to $action: deploy it first"
  served=$(service taskDefinition)
}

# A table outlives its stack, and may be that of the service before this one.
check_table() {
  local table own='' status index owner
  table=$(parameter TableName clarity-health-data)
  create_table=true
  if $there; then
    own=$(ask cloudformation describe-stack-resource --stack-name "$stack" --logical-resource-id Table --query StackResourceDetail.PhysicalResourceId)
  fi
  if [ -n "$own" ]; then
    [ "$own" = "$table" ] || refuse "TableName=$table would replace the stack's table $own by an empty one. Deploy another stack for another table"
  else
    status=$(ask dynamodb describe-table --table-name "$table" --query Table.TableStatus)
    if [ -n "$status" ]; then
      create_table=false
      owner=$(ask dynamodb list-tags-of-resource --resource-arn "arn:aws:dynamodb:$region:$account:table/$table" --query "Tags[?Key=='aws:cloudformation:stack-name'].Value | [0]")
      if ! $there && [ -n "$owner" ] && [ "$owner" != "$stack" ] && ! given TableName >/dev/null; then
        refuse "the table $table is that of the stack $owner. Give --parameter TableName=… for a table of its own, or the same name to share it"
      fi
      index=$(ask dynamodb describe-table --table-name "$table" --query "Table.GlobalSecondaryIndexes[?IndexName=='by-type'].IndexName | [0]")
      [ -n "$index" ] || refuse "the table $table, which is there already, lacks the index by-type. Add it with:
  aws dynamodb update-table --region $region --table-name $table \\
    --attribute-definitions AttributeName=type_key,AttributeType=S AttributeName=data_id,AttributeType=S \\
    --global-secondary-index-updates '[{\"Create\":{\"IndexName\":\"by-type\",\"KeySchema\":[{\"AttributeName\":\"type_key\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"data_id\",\"KeyType\":\"RANGE\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}}]'"
    fi
  fi
  if $create_table; then say "table $table: the stack's own"; else say "table $table: there already, and kept as it is"; fi
}

# The load balancer, which the service believes about addresses, is in the VPC.
check_network() {
  local vpc addresses
  vpc=$(parameter ExistingVpcId '')
  if [ -z "$vpc" ] || given VpcCidr >/dev/null; then return; fi
  addresses=$(ask ec2 describe-vpcs --vpc-ids "$vpc" --query 'Vpcs[0].CidrBlock')
  [ -n "$addresses" ] || refuse "there is no VPC $vpc in $region"
  overrides+=("VpcCidr=$addresses")
  say "network $vpc, $addresses"
}

# Whether this is a list of keys as the service reads it. All but its finest points are
# looked at here, as with a bad list no task starts.
is_key_list() {
  local list entry known
  list=$(tr -d '[:space:]' <<<"$1")
  [[ "$list" =~ ^\[\{[^{}]*\}(,\{[^{}]*\})*\]$ ]] || return 1
  known=$(printf development-key | digest)
  while IFS= read -r -d '}' entry; do
    [[ "$entry" =~ \"sha256\":\"[0-9a-f]{64}\" && "$entry" != *"$known"* ]] || return 1
    [[ "$entry" =~ \"id\":\"[A-Za-z0-9._-]{1,64}\" && "$entry" =~ \"scopes\":\[\" && "$entry" =~ \"users\":\[\" ]] || return 1
  done <<<"${list#[}"
}

digest() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1; }

# Reads what was given, and looks at it before anything is changed. Sets api_keys_given
# and gemini_key_given.
check_keys() {
  local current deleted name
  api_keys_given=
  gemini_key_given=
  [ "$api_keys_file$gemini_key_file" != -- ] || refuse "only one of the keys can be on standard input"
  if [ -n "$api_keys_file" ]; then
    api_keys_given=$(content_of "$api_keys_file") || refuse "cannot read $api_keys_file"
    is_key_list "$api_keys_given" || refuse "${api_keys_file/#-/standard input} must hold a list of keys: an array of what 'clarity-backend keys new' prints, without development-key"
  fi
  if [ -n "$gemini_key_file" ]; then
    gemini_key_given=$(content_of "$gemini_key_file") || refuse "cannot read $gemini_key_file"
    [[ "$gemini_key_given" =~ ^[[:graph:]]{20,}$ ]] || refuse "${gemini_key_file/#-/standard input} must hold a key of at least 20 visible characters, and nothing else"
  fi
  for name in "$api_keys_secret" "$service_secret" "$gemini_secret" "$client_key_secret" "$smoke_key_secret"; do
    deleted=$(ask secretsmanager describe-secret --secret-id "$name" --query DeletedDate)
    [ -z "$deleted" ] || refuse "the secret $name is being deleted; keep it with: aws secretsmanager restore-secret --region $region --secret-id $name"
  done
  current=$(secret_value "$api_keys_secret")
  if [ -n "$current" ] && [ -z "$api_keys_given" ]; then
    is_key_list "$current" || refuse "the secret $api_keys_secret holds no list of keys: give one with --api-keys-file"
  fi
}

content_of() { if [ "$1" = - ]; then cat; else cat -- "$1"; fi; }

# --- What comes before the stack ------------------------------------------------------

ensure_ecs_role() {
  local role
  # ECS makes it by itself when an account uses it first, but too late for that use.
  role=$(ask iam list-roles --path-prefix /aws-service-role/ecs.amazonaws.com/ --query 'Roles[0].RoleName')
  [ -n "$role" ] ||
    change "make the account's service-linked role for ECS" aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com
}

# The template is larger than what CloudFormation takes without a bucket.
ensure_bucket() {
  local found options=()
  found=$(ask s3api list-buckets --query "Buckets[?Name=='$bucket'].Name | [0]")
  if [ -z "$found" ]; then
    [ "$region" = us-east-1 ] || options=(--create-bucket-configuration "LocationConstraint=$region")
    change "make the bucket $bucket for templates" aws s3api create-bucket --bucket "$bucket" ${options[@]+"${options[@]}"}
  fi
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

# Signs in to the registry for this push alone: what the user is signed in to stays.
push() {
  local code=0 engine=${DOCKER_HOST:-}
  [ -n "$engine" ] || engine=$(docker context inspect --format '{{.Endpoints.docker.Host}}')
  mkdir -p "$work/docker"
  if ! aws ecr get-login-password | DOCKER_CONFIG=$work/docker docker login --username AWS --password-stdin "${1%%/*}" >/dev/null 2>"$work/login"; then
    cat "$work/login" >&2
    return 1
  fi
  DOCKER_CONFIG=$work/docker DOCKER_HOST=$engine docker push --quiet "$1" >/dev/null || code=$?
  rm -rf "$work/docker"
  return "$code"
}

# Sets image, by its digest.
ensure_image() {
  local digest uri log
  digest=$(image_digest)
  if [ -z "$digest" ]; then
    if $dry_run; then
      say "would build $repository:$tag and push it"
      image="$repository@(the digest of what is built)"
      return
    fi
    uri=$(aws ecr describe-repositories --repository-names "$repository" --query 'repositories[0].repositoryUri' --output text)
    say "build $uri:$tag"
    log=$work/build-log
    # A plain image, without attestations that would make it an index, in the engine's
    # own store, where the push finds it.
    if ! DOCKER_BUILDKIT=1 BUILDX_BUILDER=default BUILDX_NO_DEFAULT_ATTESTATIONS=1 docker build --platform "linux/$architecture" \
      --build-arg "REVISION=$(git -C "$here" rev-parse HEAD)" \
      --build-arg "VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/Cargo.toml" | head -n 1)" \
      --build-arg "CREATED=$(TZ=UTC git -C "$here" log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)" \
      --tag "$uri:$tag" "$here" >"$log" 2>&1; then
      tail -n 40 "$log" >&2
      refuse "the image cannot be built"
    fi
    say "push it"
    push "$uri:$tag" || refuse "cannot push to ${uri%%/*}"
    digest=$(image_digest)
    [ -n "$digest" ] || refuse "$uri:$tag is not there after the push"
  fi
  image=$(aws ecr describe-repositories --repository-names "$repository" --query 'repositories[0].repositoryUri' --output text)@$digest
  say "image $image"
}

secret_value() { ask secretsmanager get-secret-value --secret-id "$1" --query SecretString; }

random_text() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# ensure_secret NAME VALUE: it has this value, unless that is empty. Values never are
# arguments of programs, which others can see. Sets secret to its ARN, or to nothing.
ensure_secret() {
  local name=$1 value=$2 current
  secret=$(ask secretsmanager describe-secret --secret-id "$name" --query ARN)
  if [ -z "$secret" ]; then
    [ -n "$value" ] || return 0
    if $dry_run; then
      say "would make the secret $name"
      secret=arn:aws:secretsmanager:$region:$account:secret:$name
      return
    fi
    say "make the secret $name"
    secret=$(printf '%s' "$value" | aws secretsmanager create-secret --name "$name" --secret-string file:///dev/stdin --query ARN --output text)
  elif [ -n "$value" ]; then
    current=$(secret_value "$name")
    if [ "$current" != "$value" ]; then
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

entry() { printf '{"id":"%s","sha256":"%s","scopes":[%s],"users":["%s"]}' "$1" "$(printf '%s' "$2" | digest)" "$3" "$4"; }

# The list of keys, with one that the smoke test may use for users of its own; and where
# there was no list, one for clients, to be read from its secret.
ensure_keys() {
  local list smoke client value versions
  smoke=$(secret_value "$smoke_key_secret")
  smoke=${smoke:-$(random_text)}
  list=$(secret_value "$api_keys_secret")
  list=${api_keys_given:-$list}
  if [ -z "$list" ]; then
    client=$(secret_value "$client_key_secret")
    client=${client:-$(random_text)}
    ensure_secret "$client_key_secret" "$client"
    list="[$(entry client "$client" '"data:read","data:write","data:erase","insights"' '*')]"
  fi
  if [[ "$list" != *"$(printf '%s' "$smoke" | digest)"* ]]; then
    list="[$(entry smoke-test "$smoke" '"data:read","data:write","data:erase"' 'smoke-test-*'),${list#*[}"
  fi
  ensure_secret "$smoke_key_secret" "$smoke"
  ensure_secret "$api_keys_secret" "$list"
  overrides+=("ApiKeysSecretArn=$secret")
  value=$(secret_value "$service_secret")
  ensure_secret "$service_secret" "${value:-$(random_text)}"
  overrides+=("ServiceSecretArn=$secret")
  ensure_secret "$gemini_secret" "$gemini_key_given"
  [ -z "$secret" ] || overrides+=("GeminiApiKeySecretArn=$secret")
  versions=$(current_versions)
  overrides+=("SecretVersions=$versions")
}

# The versions of the secrets that new tasks read: others make a new task definition,
# and so a roll-out.
current_versions() {
  local name version versions=''
  for name in "$api_keys_secret" "$service_secret" "$gemini_secret"; do
    version=$(current_version "$name") || return
    versions+="${versions:+ }${name##*/}:${version:-none}"
  done
  printf '%s' "$versions"
}

current_version() {
  ask secretsmanager list-secret-version-ids --secret-id "$1" --query "Versions[?contains(VersionStages,'AWSCURRENT')].VersionId | [0]"
}

# What did not come up leaves no keys behind that tasks would read the next time.
restore_secrets() {
  local name before now
  for name in "$api_keys_secret" "$service_secret" "$gemini_secret"; do
    before=" $served_secrets "
    [[ "$before" == *" ${name##*/}:"* ]] || continue
    before=${before#*" ${name##*/}:"}
    before=${before%% *}
    now=$(current_version "$name") || return
    if [ "$before" != none ] && [ -n "$now" ] && [ "$now" != "$before" ]; then
      say "give the secret $name back the value that served"
      aws secretsmanager update-secret-version-stage --secret-id "$name" --version-stage AWSCURRENT \
        --move-to-version-id "$before" --remove-from-version-id "$now" >/dev/null || return
    fi
  done
}

# --- The stack ------------------------------------------------------------------------

# Prints the events of the stack that are new, of the newest hundred.
print_new_events() {
  local id status name reason events
  poll events ask cloudformation describe-stack-events --stack-name "$stack" --no-paginate \
    --query 'reverse(StackEvents[].[EventId,ResourceStatus,LogicalResourceId,ResourceStatusReason])' || return 0
  while IFS=$'\t' read -r id status name reason; do
    if [ -z "${status:-}" ] || grep -qxF -- "$id" "$seen_events"; then continue; fi
    printf '%s\n' "$id" >>"$seen_events"
    case ${reason:-None} in None) reason= ;; *) reason=": $reason" ;; esac
    say "$status $name$reason"
    case $status in *_FAILED) printf '%s%s\n' "$name" "$reason" >>"$failed_events" ;; esac
  done <<<"$events"
}

deploy_stack() {
  local pid code=0 status name value end=$((SECONDS + timeout)) log=$work/stack-log
  overrides+=(${parameters[@]+"${parameters[@]}"})
  if $dry_run; then
    say "would create or update the stack $stack with:"
    printf '      %s\n' "${overrides[@]}"
    return
  fi
  touched=true
  status=$(stack_status)
  if [ "$status" = ROLLBACK_COMPLETE ]; then
    say "delete what is left of a stack that could not be created, but for its parameters"
    ask cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Parameters[].[ParameterKey,ParameterValue]' >"$work/parameters"
    while IFS=$'\t' read -r name value || [ -n "$name" ]; do
      overrides=("$name=$value" "${overrides[@]}")
    done <"$work/parameters"
    aws cloudformation delete-stack --stack-name "$stack"
    aws cloudformation wait stack-delete-complete --stack-name "$stack"
  fi
  ask cloudformation describe-stack-events --stack-name "$stack" --no-paginate --query 'StackEvents[].[EventId]' >"$seen_events"
  aws cloudformation deploy --stack-name "$stack" --template-file "$template" --s3-bucket "$bucket" --s3-prefix "$stack" \
    --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset --tags "project=$repository" \
    --parameter-overrides "${overrides[@]}" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    print_new_events
    observe
    if [ "$SECONDS" -ge "$end" ]; then
      kill "$pid" 2>/dev/null || true
      give_up "the stack took longer than $timeout s, and goes on; run this again to wait for it"
    fi
    sleep 3
  done
  wait "$pid" || code=$?
  print_new_events
  if [ "$code" -ne 0 ]; then
    cat "$log" >&2
    restore_secrets || true
    give_up "the stack could not be brought up to date"
  elif grep -q '^No changes' "$log"; then
    say "nothing to change"
  fi
}

# --- The roll-out -----------------------------------------------------------------------

# Keeps what tells why tasks do not serve while it can be seen: where a stack cannot be
# created, service and log go away with it.
observe() {
  local events stopped tasks task reason log
  events=$(ask ecs describe-services --cluster "$stack" --services "$stack" --query 'services[0].events[:10].[createdAt,message]' 2>/dev/null) || return 0
  [ -z "$events" ] || printf '%s\n' "$events" >"$work/service-events"
  stopped=$(ask ecs list-tasks --cluster "$stack" --family "$stack" --desired-status STOPPED --query 'taskArns[:100]' 2>/dev/null) || return 0
  [ -n "$stopped" ] || return 0
  # What a newer version replaced in good order tells nothing.
  # shellcheck disable=SC2086 # one argument each
  tasks=$(ask ecs describe-tasks --cluster "$stack" --tasks $stopped --query "reverse(sort_by(tasks[?taskDefinitionArn!='$served' && stoppedAt], &stoppedAt))[:3].[taskArn,taskDefinitionArn,stoppedReason,containers[0].exitCode,containers[0].reason]" 2>/dev/null) || return 0
  [ -n "$tasks" ] || return 0
  : >"$work/tasks"
  while IFS=$'\t' read -r task reason; do
    log=$(ask logs get-log-events --log-group-name "/ecs/$stack" --log-stream-name "service/clarity-backend/${task##*/}" \
      --limit 10 --query 'events[].[message]' 2>/dev/null) || log=
    [ -z "$log" ] || printf '%s\n' "$log" >"$work/log-${task##*/}"
    {
      printf '\nStopped task: %s\n%s\n' "${task##*/}" "$reason"
      cat "$work/log-${task##*/}" 2>/dev/null || true
    } >>"$work/tasks"
  done <<<"$tasks"
}

# The version that serves: one that was rolled out, or the one before.
serving() {
  local version
  version=$(service "deployments[?rolloutState=='COMPLETED' && runningCount>\`0\`].taskDefinition | [0]") || return
  [ -n "$version" ] || version=$(service "deployments[?taskDefinition=='$served' && runningCount>\`0\`].taskDefinition | [0]") || return
  printf '%s' "${version:-nothing}"
}

# Says why the new tasks do not serve, and ends.
give_up() {
  local version
  told=true
  observe
  version=$(serving) || version='unknown: AWS does not say'
  {
    printf '\ndeploy-aws-simple.sh: %s\n' "$1"
    if [ -s "$failed_events" ]; then
      printf '\nFailed steps of the stack:\n'
      head -n 10 "$failed_events"
    fi
    if [ -s "$work/service-events" ]; then
      printf '\nEvents of the service, newest first:\n'
      cat "$work/service-events"
    fi
    cat "$work/tasks" 2>/dev/null || true
    printf '\nServing on: %s\n' "$version"
  } >&2
  exit 1
}

# Waits until the service runs this version and no other.
wait_for_rollout() {
  local wanted=$1 deployment primary state running desired line last='' end=$((SECONDS + timeout)) seen_it=false fault=''
  while :; do
    if poll deployment service "deployments[?status=='PRIMARY'] | [0].[taskDefinition,rolloutState,runningCount,desiredCount]"; then
      read -r primary state running desired <<<"$deployment" || true
      if [ "${primary:-}" = "$wanted" ]; then
        seen_it=true
        line="$state, $running of $desired tasks run"
        [ "$line" = "$last" ] || say "$line"
        last=$line
        case $state in
        COMPLETED) if [ "$running" -ge "$desired" ]; then return 0; fi ;;
        FAILED) fault="the roll-out of $wanted failed" ;;
        esac
      elif $seen_it || [ "$SECONDS" -ge "$((end - timeout + 30))" ]; then
        fault="the service went back to ${primary:-nothing} in place of $wanted"
      fi
    fi
    [ "$SECONDS" -lt "$end" ] || fault="the roll-out of $wanted took longer than $timeout s"
    if [ -n "$fault" ]; then
      restore_secrets || true
      give_up "$fault"
    fi
    observe
    sleep 3
  done
}

smoke_test() {
  local target=$url connect_to='' behind
  if [ -z "$target" ]; then
    target=$(stack_output Url)
    # Past DNS, which may still lead to the service before this one.
    behind=$(parameter EnableCloudFront false)
    [ "$behind" = true ] || connect_to=$(stack_output LoadBalancerName)
  fi
  CLARITY_API_KEY=$(secret_value "$smoke_key_secret")
  export CLARITY_API_KEY
  if ! SMOKE_CONNECT_TO=$connect_to SMOKE_TIMEOUT=120 "$here/smoke-test.sh" "$target" | sed 's/^/    /'; then
    told=true
    printf 'deploy-aws-simple.sh: it runs, but fails the smoke test; the image before comes back with --rollback\n' >&2
    exit 1
  fi
}

# What all actions end with: the stack is brought to the overrides, the service follows,
# and is tried.
bring_up() {
  local wanted now
  step "Stack"
  deploy_stack
  if $dry_run; then
    step "Nothing was changed"
    return
  fi

  step "Roll-out"
  wanted=$(stack_output TaskDefinitionArn)
  now=$(service taskDefinition)
  if [ "$now" != "$wanted" ]; then
    say "bring the service to the stack's version"
    aws ecs update-service --cluster "$stack" --service "$stack" --task-definition "$wanted" >/dev/null
  fi
  wait_for_rollout "$wanted"

  step "Smoke test"
  smoke_test

  step "Serving $1 at $(stack_output Url)"
}

# The template as the stack has it, so that nothing but what is asked for changes.
take_template_of_the_stack() {
  template=$work/template.yaml
  aws cloudformation get-template --stack-name "$stack" --template-stage Original --query TemplateBody --output text >"$template"
}

# --- Actions ----------------------------------------------------------------------------

deploy() {
  local before client
  step "Checking"
  check_tools git docker
  check_identity
  check_template
  check_source
  check_docker
  check_stack
  check_architecture
  check_table
  check_network
  check_keys
  if $there; then served=$(service taskDefinition); fi
  confirm "Deploy revision $revision as $stack to account $account in $region?" yes

  step "Image"
  ensure_ecs_role
  ensure_repository
  ensure_image
  overrides+=("ImageUri=$image" "RepositoryName=$repository" "CreateTable=$create_table")
  case $architecture in amd64) overrides+=(CpuArchitecture=X86_64) ;; arm64) overrides+=(CpuArchitecture=ARM64) ;; esac
  if $there; then
    before=$(stack_parameter ImageUri)
    [ "$before" = "$image" ] || overrides+=("PreviousImageUri=$before")
  fi

  step "Secrets"
  ensure_bucket
  ensure_keys
  bring_up "revision $revision"
  client=$(ask secretsmanager describe-secret --secret-id "$client_key_secret" --query ARN)
  [ -z "$client" ] || say "the first key for clients: aws secretsmanager get-secret-value --region $region --secret-id $client_key_secret --query SecretString --output text"
}

configure() {
  step "Checking"
  check_tools
  check_identity
  check_stack
  check_there
  check_table
  check_network
  check_keys
  confirm "Change the service $stack in account $account in $region?" yes

  step "Secrets"
  ensure_bucket
  ensure_keys
  take_template_of_the_stack
  bring_up "what was asked for"
}

rollback() {
  local current previous tags
  step "Checking"
  check_tools
  check_identity
  check_stack
  check_there
  current=$(stack_parameter ImageUri)
  previous=$(stack_parameter PreviousImageUri)
  [ -n "$previous" ] || refuse "there is no image before $current"
  tags=$(ask ecr describe-images --repository-name "$repository" --image-ids "imageDigest=${previous##*@}" --query 'imageDetails[0].imageTags')
  [ -n "$tags" ] || refuse "the image before, $previous, is not there any more"
  say "now ${current##*@}, before ${previous##*@} ($tags)"
  confirm "Go back to ${previous##*@} ($tags)?" yes

  overrides+=("ImageUri=$previous" "PreviousImageUri=$current")
  case $tags in *-arm64*) overrides+=(CpuArchitecture=ARM64) ;; *) overrides+=(CpuArchitecture=X86_64) ;; esac
  take_template_of_the_stack
  bring_up "the image before ($tags)"
  say "once more, --rollback goes forward again"
}

destroy() {
  local table pool name status
  step "Checking"
  check_tools
  check_identity
  check_stack
  status=$(stack_status)
  [ -n "$status" ] || {
    step "There is no stack $stack"
    return
  }
  table=$(parameter TableName clarity-health-data)
  pool=$(stack_output UserPoolId)
  confirm "This deletes the stack $stack in account $account, and nobody is served any more. The table $table stays." "$stack"

  step "Stack"
  change "delete the stack $stack" aws cloudformation delete-stack --stack-name "$stack"
  if $dry_run; then return; fi
  touched=true
  aws cloudformation wait stack-delete-complete --stack-name "$stack" || give_up "the stack could not be deleted"

  step "Deleted. What stays, and what would delete it for good:"
  say "aws dynamodb update-table --region $region --table-name $table --no-deletion-protection-enabled && aws dynamodb delete-table --region $region --table-name $table"
  [ -z "$pool" ] || say "aws cognito-idp update-user-pool --region $region --user-pool-id $pool --deletion-protection INACTIVE && aws cognito-idp delete-user-pool --region $region --user-pool-id $pool   # and everybody in it; the next deployment makes another"
  for name in "$api_keys_secret" "$service_secret" "$gemini_secret" "$client_key_secret" "$smoke_key_secret"; do
    say "aws secretsmanager delete-secret --region $region --secret-id $name"
  done
  say "aws ecr delete-repository --region $region --repository-name $repository --force"
  say "aws s3 rb s3://$bucket --force"
  say "for task in \$(aws ecs list-task-definitions --region $region --family-prefix $stack --query taskDefinitionArns --output text); do aws ecs deregister-task-definition --region $region --task-definition \$task; done"
}

while [ $# -gt 0 ]; do
  case $1 in
  --dry-run) dry_run=true ;;
  --yes) yes=true ;;
  --configure) action=configure ;;
  --rollback) action=rollback ;;
  --destroy) action=destroy ;;
  -h | --help)
    usage
    exit 0
    ;;
  --region | --stack | --parameter | --api-keys-file | --gemini-key-file | --architecture | --url | --template | --timeout)
    [ $# -ge 2 ] || refuse "$1 needs a value"
    case $1 in
    --region) region=$2 ;;
    --stack) stack=$2 ;;
    --parameter)
      [[ "$2" == *=* ]] || refuse "--parameter must be NAME=VALUE"
      parameters+=("$2")
      ;;
    --api-keys-file) api_keys_file=$2 ;;
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
