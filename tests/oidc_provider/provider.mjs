// The provider, as its own documentation starts it: its development pages, and these clients.

import { createPublicKey } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";

import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

import { clients, secretOf } from "./clients.mjs";

// Starts it on a free port of 127.0.0.1; `gateway` is where the gateway will be.
export async function startProvider(gateway) {
  const server = http.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: Object.entries(clients).map(([name, client]) => registration(gateway, name, client)),
    jwks: { keys: await signingKeys() },
    findAccount: (_, id) => ({ accountId: id, claims: () => account(id) }),
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    responseTypes: [
      "code", "id_token", "id_token token", "code id_token", "code token", "code id_token token",
    ],
    enabledJWA: {
      idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"],
      clientAuthSigningAlgValues: ["ES256"],
    },
    features: { pushedAuthorizationRequests: { enabled: true }, userinfo: { enabled: true } },
    cookies: { keys: ["a key for the tests' cookies"] },
    pkce: { required: () => false },
    // One client's tokens are dead after four seconds, and its refresh tokens are good once.
    issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
    rotateRefreshToken: true,
    ttl: { AccessToken: (_, token) => (token.clientId === "refreshed" ? 4 : 3600) },
  });
  const errors = [];
  for (const event of ["authorization.error", "grant.error", "server_error", "end_session.error",
    "pushed_authorization_request.error", "userinfo.error"]) {
    provider.on(event, (_, error) => errors.push(`${event}: ${error.error_description ?? error}`));
  }
  let refreshes = 0;
  provider.on("grant.success", ({ oidc }) => {
    if (oidc.params.grant_type === "refresh_token") refreshes += 1;
  });
  server.on("request", provider.callback());
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { issuer, errors, refreshes: () => refreshes, stop };
}

function registration(gateway, name, { type, path = "/auth/callback", key, registered = {} }) {
  const grants = [];
  if (type.includes("code")) grants.push("authorization_code");
  if (type !== "code") grants.push("implicit");
  const own = key ? { jwks: { keys: [clientKey()] } } : { client_secret: secretOf(name) };
  return {
    client_id: name,
    client_name: name,
    redirect_uris: [gateway + path],
    post_logout_redirect_uris: [`${gateway}/auth/signed_out`],
    response_types: [type],
    grant_types: grants,
    token_endpoint_auth_method: type.includes("code") ? "client_secret_post" : "none",
    ...own,
    ...registered,
  };
}

// Everybody who signs in here is who they say.
function account(id) {
  return { sub: id, email: id, email_verified: !id.startsWith("new."), name: id };
}

function clientKey() {
  const pem = readFileSync(join(process.env.SCRATCH, "client-key.pem"));
  return { ...createPublicKey(pem).export({ format: "jwk" }), use: "sig", alg: "ES256", kid: "client-1" };
}

async function signingKeys() {
  const keys = [];
  for (const [alg, options] of [["RS256", {}], ["PS256", {}], ["ES256", {}], ["EdDSA", { crv: "Ed25519" }]]) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true, ...options });
    keys.push({ ...(await exportJWK(privateKey)), alg, use: "sig", kid: `key-${alg}` });
  }
  return keys;
}
