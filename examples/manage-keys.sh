#!/usr/bin/env bash
# The life of an API key, from the first project to its deletion, with curl and jq alone.
#
#   KEYTURN_URL=http://127.0.0.1:8080 KEYTURN_API_KEY=ktk_… bash examples/manage-keys.sh
#
# KEYTURN_API_KEY is the key that `npm start` or `keyturn bootstrap` has printed. Everything is made in a project of its own,
# which stays, with its audit events, for a look at them afterwards. Stops at the first answer that is not as it should be.
set -euo pipefail

url=${KEYTURN_URL:-http://127.0.0.1:8080}
: "${KEYTURN_API_KEY:?the API key of an administrator, as bootstrap has printed it}"
name=walk-$(date +%s)-$$
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '%s\n' "$*" >&2; }
fail() { say "FAILED: $*"; exit 1; }

# request METHOD PATH [curl options…]: the body to $work/body, the headers to $work/headers, the status to $status. What
# identifies the caller is read from a file that curl opens: a process list shows no secret.
request() {
  local method=$1 path=$2
  shift 2
  status=$(curl -sS -o "$work/body" -D "$work/headers" -w '%{http_code}' -X "$method" -K "$work/caller" "$@" "$url$path")
}
field() { jq -er "$1" "$work/body"; }
as_token() { printf 'header = "Authorization: Bearer %s"\n' "$1" >"$work/caller"; }
as_api_key() { printf 'header = "X-API-Key: %s"\n' "$1" >"$work/caller"; }
want() { [[ $status == "$1" ]] || fail "$2: $status instead of $1: $(cat "$work/body")"; }

# api STATUS METHOD PATH [JSON] [curl options…]: as the administrator
api() {
  local expected=$1 method=$2 path=$3 json=${4-}
  shift $(($# < 4 ? $# : 4))
  as_token "$administrator"
  if [[ -n $json ]]; then
    printf '%s' "$json" >"$work/json"
    request "$method" "$path" -H 'Content-Type: application/json' --data-binary "@$work/json" "$@"
  else
    request "$method" "$path" "$@"
  fi
  want "$expected" "$method $path"
}
# exchange API_KEY: the answer of the token endpoint
exchange() {
  as_api_key "$1"
  request POST /oauth/token --data grant_type=client_credentials
}
# An edit holds everywhere within a second.
exchange_until() {
  local key=$1 expected=$2 filter=${3:-true}
  for _ in $(seq 40); do
    exchange "$key"
    if [[ $status == "$expected" ]] && jq -e "$filter" "$work/body" >"$work/null"; then return; fi
    sleep 0.1
  done
  fail "an exchange: $status instead of $expected with $filter: $(cat "$work/body")"
}

say '1. An access token for the administrator'
exchange "$KEYTURN_API_KEY"
want 200 exchange
administrator=$(field .access_token)
api 200 GET /v1/me
my_ip=$(field .ip)

say '2. A project, and what permissions there are in it'
api 201 POST /v1/projects "$(jq -n --arg name "$name" '{name: $name, slug: $name, audiences: ["https://vault.example"]}')"
project=/v1/projects/$(field .id)
api 200 PUT "$project/permission-catalog" '{
  "actions": [{"name": "read", "description": "See it"}, {"name": "write", "description": "Change it"}],
  "resources": [
    {"path": "credential", "description": "Passwords and keys of machines"},
    {"path": "defect", "description": "What is known to be wrong"},
    {"path": "workspace", "description": "Parts of the project"}
  ]
}'
api 400 POST "$project/roles" '{"name": "Typist", "permissions": ["read:credentail"]}'
grep -q 'read:credentail' "$work/body" || fail 'an unknown permission is not named'

say '3. A role, a workspace to give it in, and a person'
api 201 POST "$project/roles" '{"name": "Tester", "slug": "tester", "permissions": ["read:defect", "write:defect"]}'
role=$(field .id)
api 201 POST "$project/workspaces" '{"name": "Mobile", "slug": "mobile"}'
workspace=$(field .id)
api 201 POST /v1/users "$(jq -n --arg email "$name@example.com" '{email: $email, name: "Ada"}')"
user=$(field .id)
api 201 POST "$project/members" "$(jq -n --arg user "$user" '{user_id: $user, roles: [{role_id: "viewer"}]}')"

say '4. A key: a narrowed permission, an allowlist, an expiry, the role in the workspace'
expires_at=$(jq -nr 'now + 90 * 86400 | floor | todate')
api 201 POST "$project/keys" "$(jq -n --arg ip "$my_ip" --arg expires_at "$expires_at" --arg user "$user" \
  --arg role "$role" --arg workspace "$workspace" '{
    name: "ci runner", description: "Runs the tests", owner_id: $user,
    permissions: ["read:credential/prod-*"], roles: [{role_id: $role, workspace_id: $workspace}],
    ip_allowlist: [$ip], expires_at: $expires_at}')"
key=$project/keys/$(field .id)
api_key=$(field .client_secret)
[[ $(field '.effective_permissions | sort | join(" ")') == \
  'read:credential/prod-* read:workspace/mobile/defect write:workspace/mobile/defect' ]] ||
  fail "effective_permissions: $(field '.effective_permissions | join(" ")')"

say '5. Its exchange'
exchange_until "$api_key" 200 '.scope | split(" ") | index("read:workspace/mobile/defect")'
refresh_token=$(field .refresh_token)
printf '' >"$work/caller"
printf 'grant_type=refresh_token&refresh_token=%s' "$refresh_token" >"$work/form"
request POST /oauth/token --data-binary "@$work/form"
want 200 'a refresh'

say '6. What it may do, and why'
explain() { jq -n --arg permission "$1" --arg ip "$2" '{permission: $permission, ip: $ip}'; }
api 200 POST "$key/explain" "$(explain read:credential/prod-db "$my_ip")"
[[ $(field .allowed) == true ]] || fail "explain: $(cat "$work/body")"
api 200 POST "$key/explain" "$(explain read:credential/test-db "$my_ip")"
jq -e '.allowed == false' "$work/body" >"$work/null" || fail "explain: $(cat "$work/body")"
api 200 POST "$key/explain" "$(explain read:credential/prod-db 203.0.113.9)"
jq -e '.allowed == false' "$work/body" >"$work/null" || fail "explain: $(cat "$work/body")"

say '7. An edit: the next exchange has it, with the same secret'
api 200 GET "$key"
etag=$(tr -d '\r' <"$work/headers" | sed -n 's/^[Ee][Tt]ag: //p')
api 200 PATCH "$key" '{"permissions": ["read:credential/prod-*", "write:credential/test-*"]}' -H "If-Match: $etag"
api 412 PATCH "$key" '{"description": "by somebody who has not seen the edit"}' -H "If-Match: $etag"
exchange_until "$api_key" 200 '.scope | split(" ") | index("write:credential/test-*")'

say '8. A new secret, the old one working for three seconds more'
api 200 POST "$key/regenerate" '{"overlap_seconds": 3}'
new_api_key=$(field .client_secret)
exchange_until "$new_api_key" 200
exchange "$api_key"
want 200 'the old secret within the overlap'
exchange_until "$api_key" 401
exchange "$new_api_key"
want 200 'the new secret after the overlap'

say '9. Revoked'
api 200 PATCH "$key" '{"is_valid": false}'
exchange_until "$new_api_key" 401

say '10. Forty more keys, and all of them deleted at once'
ids=()
for number in $(seq 40); do
  api 201 POST "$project/keys" "{\"name\": \"short-lived $number\", \"permissions\": [\"read:credential\"]}"
  ids+=("$(field .id)")
done
api 200 GET "$project/keys?q=short&limit=3&sort=name&fields=id,name"
[[ $(field '[.total_count, (.data | length)] | join(" ")') == '40 3' ]] || fail "the list: $(cat "$work/body")"
api 200 POST "$project/keys/bulk-delete" "$(jq -n '{ids: $ARGS.positional}' --args "${ids[@]}")"
[[ $(field '[.results[] | select(.status == "deleted")] | length') == 40 ]] || fail "bulk delete: $(cat "$work/body")"

say '11. All of it is in the audit trail'
api 200 GET "$project/audit-events?limit=200&fields=type"
for type in project.created permission_catalog.replaced role.created workspace.created member.added api_key.created \
  api_key.updated api_key.regenerated api_key.revoked api_key.deleted; do
  jq -e --arg type "$type" 'any(.data[]; .type == $type)' "$work/body" >"$work/null" || fail "no event $type"
done
[[ $(field '[.data[] | select(.type == "api_key.deleted")] | length') == 40 ]] || fail 'not each deletion is in the trail'

say "Done. The project is $project."
