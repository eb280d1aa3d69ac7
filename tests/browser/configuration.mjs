// The gateway's configuration in the browser tests: every door, and every way to be kept out.

export function configuration({ gateway, superid, app, nobody, neighbour }) {
  const port = new URL(gateway).port;
  const party = (name, more = "") => `
[relying_party.${name}]
title = "Sign in with ${name}"
environment = "emulated"
client_id = "${name}"
client_secret = { value = "${name === "astray" ? "wrong" : name}-secret" }
${more}`;
  const route = (path, lines) => `
[route.${path}]
path = "/${path}"
${lines.includes("upstream") ? "" : `upstream = "${app}"`}
${lines}
`;
  return `
[listener.tls]
address = "127.0.0.1:${port}"
certificate = "certificate.pem"
key = "certificate-key.pem"

[admin]
address = "127.0.0.1:0"

[host.main]
origin = "${gateway}"
cors_origins = ["${neighbour}"]

[limits]
# All of these people share one address.
sign_ins_per_minute = 1000

[environment.emulated]
issuer = "${superid}"
authorize_url = "${superid}/login/common/oauth/authorize"
tenant_authorize_url = "${superid}/login/{ctx}/oauth/authorize"
token_url = "${superid}/login/common/oauth/tokens"
jwks_url = "${superid}/login/.well-known/jwks"
logout_url = "${superid}/login/logout"
legacy_login_url = "${superid}/login/"
addresses = ["${superid}"]

[session]
keys = [{ file = "session.key" }]

${party("orders", `error_callback_path = "/auth/error"`)}
${party("behind", `redirect_path = "/auth/behind"
response_type = "code id_token"
response_mode = "fragment"`)}
${party("posted", `redirect_path = "/auth/posted"
response_type = "id_token token"
response_mode = "form_post"`)}
${party("approval")}
${party("astray")}
${party("archive", `redirect_path = "/auth/legacy"
flow = "legacy"
[relying_party.archive.legacy]
serials = { Cust12345 = "1201052551", Cust67890 = "1201052553" }`)}

[route.app]
upstream = "${app}"
relying_parties = ["orders"]

${route("public", `access = "public"`)}
${route("legacy", `relying_parties = ["archive"]\npresent = "ticket"`)}
${route("behind", `relying_parties = ["behind"]`)}
${route("posted", `relying_parties = ["posted"]`)}
${route("both", `relying_parties = ["orders", "archive"]`)}
${route("approval", `relying_parties = ["approval"]`)}
${route("astray", `relying_parties = ["astray"]`)}
${route("admin", `relying_parties = ["orders"]\nadministrator = true`)}
${route("bank", `relying_parties = ["orders"]\ntenants = ["Cust67890", "Cust20011"]`)}
${route("claim", `relying_parties = ["orders"]\nclaims = { associateid = ["999"] }`)}
${route("board", `relying_parties = ["orders"]\nkeep_fragment = true`)}
${route("kept", `relying_parties = ["orders"]\nkeep_post = "64KiB"`)}
${route("slow", `relying_parties = ["orders"]\nread_timeout = "1s"`)}
${route("down", `relying_parties = ["orders"]\nupstream = "http://127.0.0.1:${nobody}"`)}
`;
}
