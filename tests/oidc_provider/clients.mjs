// One registration for each way to be answered and to prove oneself, known to both sides.

// Answers of two providers never come to one path, so the second has its own. `type` and `mode` are what the gateway asks for; `registered` is more of the provider's half,
// `configured` more of the gateway's.
export const clients = {
  code: { type: "code" },
  posted: { type: "code", mode: "form_post" },
  hybrid: { type: "code id_token", mode: "form_post" },
  hybrid_fragment: { type: "code id_token", mode: "fragment" },
  hybrid_token: { type: "code token", mode: "form_post" },
  hybrid_all: { type: "code id_token token", mode: "form_post" },
  implicit: { type: "id_token", mode: "form_post" },
  implicit_fragment: {
    type: "id_token token",
    mode: "fragment",
    // The provider tells more of a person only to whoever shows the access token, which the gateway
    // does with one it redeemed a code for: here the subject alone says who may in.
    people: `{ mapping = "people.toml" }`,
  },
  basic: {
    type: "code",
    registered: { token_endpoint_auth_method: "client_secret_basic" },
    configured: `client_authentication = "client_secret_basic"`,
  },
  proof: {
    type: "code",
    key: true,
    registered: {
      token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: "ES256",
    },
    configured: `client_authentication = "private_key_jwt"\nclient_key = { file = "client-key.pem" }\nclient_key_id = "client-1"`,
  },
  es256: { type: "code id_token", mode: "form_post", registered: { id_token_signed_response_alg: "ES256" } },
  ps256: { type: "code", registered: { id_token_signed_response_alg: "PS256" } },
  eddsa: { type: "code id_token token", mode: "form_post", registered: { id_token_signed_response_alg: "EdDSA" } },
  refreshed: { type: "code", registered: { grant_types: ["authorization_code", "refresh_token"] } },
  pushed: { type: "code", provider: "pushed", path: "/auth/pushed", registered: { require_pushed_authorization_requests: true } },
};

export const secretOf = (name) => `${name}-secret-of-more-than-thirty-two-bytes`;
