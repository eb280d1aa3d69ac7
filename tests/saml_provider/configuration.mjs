// The gateway's half: a relying party and a route for each registration.

import { pathOf, registrations } from "./registrations.mjs";

export function configuration({ gateway, provider, app }) {
  const parties = Object.entries(registrations).map(([name, one]) => party(name, one) + route(name, app));
  return `
[listener.tls]
address = "127.0.0.1:${new URL(gateway).port}"
certificate = "certificate.pem"
key = "certificate-key.pem"

[admin]
address = "127.0.0.1:0"

[host.main]
origin = "${gateway}"

[session]
keys = [{ file = "session.key" }]

[environment.house]
issuer = "${provider}"
legacy_issuer = "${provider}/saml"
authorize_url = "${provider}/none"
tenant_authorize_url = "${provider}/none/{ctx}"
token_url = "${provider}/none"
jwks_url = "${provider}/none"
logout_url = "${provider}/logout.php"
legacy_login_url = "${provider}/login/"
addresses = ["${provider}"]

[provider.federation]
protocol = "ws_federation"
issuer = "${provider}/federation"
sign_in_url = "${provider}/module.php/adfs/idp/prp.php"
certificates = ["provider.pem"]
subject_claim = "name_id"
emails = "verified"

[relying_party.federated]
provider = "federation"
client_id = "urn:gateway:federated"
redirect_path = "/auth/federated"
people = { email_domains = { "nordlys.example" = "Cust12345" } }
${route("federated", app)}
${parties.join("\n")}
`;
}

function party(name, { entity, audience = true, saml = "" }) {
  return `
[relying_party.${name}]
environment = "house"
client_id = "${entity}"
client_secret = { value = "which nobody asks for here" }
flow = "legacy"
redirect_path = "${pathOf(name)}"
[relying_party.${name}.legacy]
token = "saml"
serials = { Cust12345 = "1201052551", Cust20011 = "1201052552" }
[relying_party.${name}.legacy.saml]
certificates = ["provider.pem"]
${audience ? `audience = "${entity}"` : ""}
${saml}
`;
}

const route = (name, app) => `
[route.${name}]
path = "/${name}"
upstream = "${app}"
relying_parties = ["${name}"]
present = "nothing"
`;
