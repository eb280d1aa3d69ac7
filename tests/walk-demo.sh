#!/usr/bin/env bash
# Walks the demo with curl, through both doors, and ends by showing what the app was given.
#
#   tests/walk-demo.sh                  builds with cargo (release) and runs that
#   tests/walk-demo.sh path/to/binary   runs this one; so does GATEWAY_BIN=path/to/binary
#
# Each step says what it found. The first thing that is not as promised ends the walk with 1, and
# says what was expected. It needs bash and curl, and a free port or four on this machine.
set -euo pipefail
cd "$(dirname "$0")/.."

main() {
  start_demo "$@"
  a_script_is_told_where_to_sign_in
  forged_headers_do_not_pass
  sign_in_by_openid_connect
  sign_out_and_use_a_copied_cookie
  sign_in_by_the_older_form_post
  sign_out_and_use_a_copied_cookie
  stop_demo
  show "By OpenID Connect the app was given" "$given_by_code"
  show "By the older form post the app was given" "$given_by_form"
}

start_demo() {
  title "The demo"
  local program=(cargo run --quiet --release -- demo --json)
  local binary=${1:-${GATEWAY_BIN:-}}
  [ -z "$binary" ] || program=("$binary" demo --json)
  coproc DEMO { exec "${program[@]}"; }
  demo=$DEMO_PID
  local line
  IFS= read -r -t 1800 line <&"${DEMO[0]}" || fail "one line of JSON from: ${program[*]}" "none"
  gateway=$(member gateway "$line")
  superid=$(member superid "$line")
  admin=$(member admin "$line")
  ask "$admin/ready"
  status 200
  ok "gateway $gateway, SuperID $superid"
}

a_script_is_told_where_to_sign_in() {
  title "Signed out, as a script"
  ask "$gateway/orders/7?tab=2"
  status 401
  same "the sign-in address in the answer" \
    "$(member sign_in "$(cat "$scratch/body")")" "$gateway/auth/start?rd=%2Forders%2F7%3Ftab%3D2"
  lacks "the answer's headers" "$(cat "$scratch/head")" "set-cookie"
  ok "401, the sign-in address, no cookie"
}

forged_headers_do_not_pass() {
  title "Signed out, with forged headers, where everybody may come in"
  ask "$gateway/public/who.json" "${forged[@]}"
  status 200
  lacks "what the app saw" "$(cat "$scratch/body")" "forged"
  same "what the app was told" "$(caller)" ""
  ok "200, and the app was told of nobody"
}

sign_in_by_openid_connect() {
  title "Signing in by OpenID Connect, as a browser"
  new_browser
  visit "$gateway/orders/7?tab=2"
  redirected
  begins "the redirect" "$(location)" "$superid/login/common/oauth/authorize?"
  local part
  for part in response_type=code state= nonce= code_challenge= code_challenge_method=S256; do
    has "the authorize address" "$(location)" "$part"
  done
  ok "redirected to SuperID, with state, nonce and PKCE"

  visit "$(location)"
  status 200
  has "SuperID's page" "$(cat "$scratch/body")" "Choose a person"
  local request
  request=$(hidden_field request)
  visit "$superid/login/sign-in" -d "request=$request" -d person=mira.holm@partner.example
  status 200
  has "SuperID's page for somebody of several tenants" "$(cat "$scratch/body")" "Choose a tenant"
  visit "$superid/login/sign-in" -d "request=$request" -d person=mira.holm@partner.example \
    -d tenant=Cust67890
  redirected
  begins "the callback" "$(location)" "$gateway/auth/callback?"
  ok "Mira Holm signed in at SuperID, and chose a tenant"

  visit "$(location)"
  redirected
  same "where the browser is sent" "$(location)" "$gateway/orders/7?tab=2"
  has "the answer's headers" "$(cat "$scratch/head")" "HttpOnly"
  ok "back at exactly /orders/7?tab=2"

  visit "$gateway/orders/7?tab=2" -H "Accept: application/json" "${forged[@]}"
  status 200
  local seen
  seen=$(cat "$scratch/body")
  same "the address the app saw" "$(member target "$seen")" "/orders/7?tab=2"
  begins "authorization" "$(member authorization "$seen")" "Bearer 8A:Cust67890"
  same "x-superoffice-user" "$(member x-superoffice-user "$seen")" "mira.holm@partner.example"
  same "x-superoffice-context" "$(member x-superoffice-context "$seen")" "Cust67890"
  same "x-superoffice-administrator" "$(member x-superoffice-administrator "$seen")" "true"
  lacks "what the app saw" "$seen" "forged"
  lacks "what the app saw" "$seen" "superid-gateway"
  given_by_code=$(caller)
  ok "the app knows Mira and has a bearer token; of the forged headers it saw nothing"
}

sign_in_by_the_older_form_post() {
  title "Signing in by the older form post, as a browser"
  new_browser
  visit "$gateway/legacy/"
  redirected
  begins "the redirect" "$(location)" "$superid/login/?app_id=demo-archive"
  ok "redirected to SuperID's older sign-in"

  visit "$(location)"
  status 200
  visit "$superid/login/sign-in" -d "request=$(hidden_field request)" \
    -d person=astrid.berg@nordlys.example
  status 200
  same "the form's address" "$(form_action)" "$gateway/auth/legacy"
  local token
  token=$(hidden_field jwt)
  ok "Astrid Berg signed in at SuperID, whose page now posts a form to the gateway"

  ask "$gateway/auth/legacy" -H "Origin: http://elsewhere.example" -d "jwt=$token"
  status 403
  ok "the same form from another site: 403"

  # A browser leaves SameSite=Lax cookies out of a form that another site posts.
  ask "$gateway/auth/legacy" -H "Origin: $superid" -d "jwt=$token" -c "$scratch/handed"
  redirected
  same "where the browser is sent" "$(location)" "$gateway/auth/finish"
  local finish
  finish=$(location)
  cat "$scratch/handed" >>"$scratch/jar"
  ok "from SuperID, without our cookies: redirected to a page of ours"

  ask "$gateway/auth/legacy" -H "Origin: $superid" -d "jwt=$token"
  status 400
  ok "the same form once more: 400"

  ask "$finish" -H "$html" -b "$scratch/handed"
  status 400
  ok "finished by a browser that began nothing: 400"

  visit "$finish"
  redirected
  same "where the browser is sent" "$(location)" "$gateway/legacy/"
  visit "$gateway/legacy/" -H "Accept: application/json" "${forged[@]}"
  status 200
  local seen
  seen=$(cat "$scratch/body")
  begins "soticket" "$(member soticket "$seen")" "7T:"
  same "x-superoffice-user" "$(member x-superoffice-user "$seen")" "astrid.berg@nordlys.example"
  same "x-superoffice-first-name" "$(member x-superoffice-first-name "$seen")" "Astrid"
  lacks "what the app saw" "$seen" "forged"
  given_by_form=$(caller)
  ok "the app knows Astrid and has her ticket"
}

sign_out_and_use_a_copied_cookie() {
  title "Signing out"
  cp "$scratch/jar" "$scratch/copied"
  ask "$gateway/orders/7" -b "$scratch/copied"
  local before=$answered
  ask "$gateway/legacy/" -b "$scratch/copied"
  has "the two doors with a copy of the cookies" "$before $answered" "200"
  visit "$gateway/auth/sign_out"
  redirected
  begins "the redirect" "$(location)" "$superid/login/logout?"
  visit "$(location)"
  redirected
  same "where SuperID leads" "$(location)" "$gateway/auth/signed_out"
  visit "$(location)"
  status 200
  has "the page" "$(cat "$scratch/body")" "You are signed out"
  ask "$gateway/orders/7" -b "$scratch/copied"
  status 401
  ask "$gateway/legacy/" -b "$scratch/copied"
  status 401
  ok "signed out here and at SuperID; the copied cookie, which worked before, gets 401"
}

stop_demo() {
  title "Ctrl-C"
  kill -INT "$demo"
  local code=0
  wait "$demo" || code=$?
  demo=
  same "the demo's exit code" "$code" 0
  ok "it ended with 0"
}

# Headers of ours that only the gateway may set, in spellings that some app would take for them.
forged=(
  -H "SOTicket: 7T:forged" -H "X-SuperOffice-User: forged" -H "x_superoffice_user: forged"
  -H "X-SuperOffice-Administrator: forged" -H "X-SuperOffice-Context;"
)
html="Accept: text/html,application/xhtml+xml,*/*;q=0.8"

# ask URL [CURL ARGUMENTS…]: one request without cookies. Leaves `answered`, head and body.
ask() {
  local url=$1
  shift
  : >"$scratch/body"
  answered=$(curl -sS --max-time 30 -o "$scratch/body" -D "$scratch/head" -w '%{http_code}' \
    "$@" "$url") || fail "an answer from $url" "none"
}

# visit URL [CURL ARGUMENTS…]: as `ask`, with and for the cookies of our browser. A later Accept in
# the arguments replaces the browser's.
visit() {
  local url=$1 accept=(-H "$html")
  shift
  case " $* " in *" Accept: "*) accept=() ;; esac
  ask "$url" "${accept[@]}" -b "$scratch/jar" -c "$scratch/jar" "$@"
}

new_browser() { : >"$scratch/jar"; }

location() { tr -d '\r' <"$scratch/head" | sed -n 's/^[Ll]ocation: //p'; }

# member NAME JSON: a text member's value; the first of that name.
member() { grep -o "\"$1\":\"[^\"]*\"" <<<"$2" | head -n 1 | cut -d '"' -f 4; }

# The headers that tell the app who is calling, as the app's JSON has them.
caller() {
  sed 's/.*"caller":{\([^}]*\)}.*/\1/' "$scratch/body" |
    grep -o '"[^"]*":"[^"]*"' | sed 's/^"\([^"]*\)":"\(.*\)"$/\1: \2/' || true
}

hidden_field() {
  sed -n "s/.*name=\"$1\" value=\"\([^\"]*\)\".*/\1/p" "$scratch/body" | head -n 1
}

form_action() { sed -n 's/.*<form[^>]* action="\([^"]*\)".*/\1/p' "$scratch/body"; }

redirected() { [[ "$answered" =~ ^30[23]$ ]] || fail "a redirect, 302 or 303" "$answered"; }

status() { same "the status of the answer" "$answered" "$1"; }

same() { [ "$2" = "$3" ] || fail "$1 to be: $3" "$2"; }

begins() { [[ "$2" == "$3"* ]] || fail "$1 to begin with: $3" "$2"; }

has() { [[ "$2" == *"$3"* ]] || fail "$1 to contain: $3" "$2"; }

lacks() { [[ "${2,,}" != *"${3,,}"* ]] || fail "$1 not to contain: $3" "$2"; }

title() {
  step=$1
  printf '\n%s\n' "$step"
}

ok() { printf '  ok  %s\n' "$1"; }

fail() {
  printf '\nFAILED at "%s"\n  expected %s\n  but got: %s\n' "$step" "$1" "${2:-(nothing)}" >&2
  exit 1
}

# Tokens and tickets are cut to their first characters.
show() {
  title "$1"
  sed -E 's/^(authorization: Bearer .{14}|soticket: .{6}).*/\1…/; s/^/  /' <<<"$2"
}

tidy() {
  [ -z "${demo:-}" ] || kill "$demo" 2>/dev/null || true
  rm -rf "$scratch"
}

scratch=$(mktemp -d)
trap tidy EXIT
main "$@"
