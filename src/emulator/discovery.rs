//! The two documents libraries start from: OpenID metadata and the key set (`superid.md` §1).

use http::StatusCode;
use serde_json::json;

use super::answer::Answer;
use super::world::World;

/// `/login/.well-known/openid-configuration`. Its issuer is not its address: that lacks `/login`.
pub(super) fn metadata(world: &World) -> Answer {
    let base = &world.base;
    let document = json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/login/common/oauth/authorize"),
        "token_endpoint": format!("{base}/login/common/oauth/tokens"),
        "end_session_endpoint": format!("{base}/login/logout"),
        "jwks_uri": format!("{base}/login/.well-known/jwks"),
        "revocation_endpoint": format!("{base}/login/common/oauth/revoke"),
        "scopes_supported": ["openid"],
        "response_modes_supported": ["form_post", "fragment", "query"],
        "response_types_supported":
            ["code", "id_token", "code id_token", "token id_token", "token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "grant_types_supported": ["implicit", "authorization_code", "refresh_token"],
    });
    Answer::json(StatusCode::OK, &document)
}

/// `/login/.well-known/jwks`.
pub(super) fn jwks(world: &World) -> Answer {
    Answer::json(StatusCode::OK, &world.keys.jwks())
}
