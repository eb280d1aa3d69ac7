//! The provider's metadata and its key set.

use http::StatusCode;
use serde_json::json;

use super::super::answer::Answer;
use super::super::world::World;
use super::client::IssParameter;
use super::people::issuer;

/// `/google/.well-known/openid-configuration` (OpenID Connect Discovery 1.0, RFC 8414).
pub(super) fn metadata(world: &World) -> Answer {
    let issuer = issuer(world);
    let settings = world.google.settings();
    let at = |path: &str| format!("{issuer}/{path}");
    let document = json!({
        "issuer": issuer,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("tokens"),
        "userinfo_endpoint": at("userinfo"),
        "jwks_uri": at("jwks"),
        "end_session_endpoint": at("logout"),
        "revocation_endpoint": at("revoke"),
        "pushed_authorization_request_endpoint": at("par"),
        "authorization_response_iss_parameter_supported":
            settings.iss_parameter != IssParameter::Absent,
        "response_types_supported": ["code", "token", "id_token", "code token", "code id_token",
            "id_token token", "code id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token", "implicit"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [settings.algorithm.name()],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "client_secret_basic", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "claims_supported": ["aud", "email", "email_verified", "exp", "family_name", "given_name",
            "hd", "iat", "iss", "name", "sub"],
    });
    Answer::json(StatusCode::OK, &document)
}

/// `/google/jwks`.
pub(super) fn jwks(world: &World) -> Answer {
    let key = world.google.keys.jwk(world.google.settings().algorithm);
    Answer::json(StatusCode::OK, &json!({ "keys": [key] }))
}
