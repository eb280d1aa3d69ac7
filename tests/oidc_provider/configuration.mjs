// The gateway's half: a relying party and a route for each of the clients.

import { clients, secretOf } from "./clients.mjs";

const LISTED =
  `{ email_domains = { "nordlys.example" = "Cust12345", "bakke.example" = "Cust20011" } }`;

// The file of the one client whose people are named one by one.
export const mapping = (issuer) => `
[[person]]
issuer = "${issuer}"
subject = "astrid.berg@nordlys.example"
tenant = "Cust12345"
email = "astrid.berg@nordlys.example"
`;

export function configuration({ gateway, issuer, app }) {
  const provider = (name, more) => `
[provider.${name}]
issuer = "${issuer}"
algorithms = ["RS256", "PS256", "ES256", "EdDSA"]
userinfo = true
${more}`;
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
${provider("honest", "")}
${provider("pushed", "pushed_requests = true")}
${Object.entries(clients).map(([name, client]) => party(name, client, app)).join("\n")}
`;
}

function party(name, { type, mode, provider = "honest", path, key, people = LISTED, configured = "" }, app) {
  return `
[relying_party.${name}]
provider = "${provider}"
client_id = "${name}"
${key ? "" : `client_secret = { value = "${secretOf(name)}" }`}
response_type = "${type}"
${path ? `redirect_path = "${path}"` : ""}
${mode ? `response_mode = "${mode}"` : ""}
people = ${people}
${configured}

[route.${name}]
path = "/${name}"
upstream = "${app}"
relying_parties = ["${name}"]
`;
}
