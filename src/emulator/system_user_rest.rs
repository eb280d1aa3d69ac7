//! The exchange by REST: `POST /Login/api/PartnerSystemUser/Authenticate`.

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::answer::Answer;
use super::call::Call;
use super::system_user::{Asked, Outcome, exchange};
use super::world::World;

/// The request's JSON (`superid.md` §5).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    #[serde(default)]
    signed_system_token: String,
    #[serde(default)]
    application_token: String,
    #[serde(default)]
    context_identifier: String,
    #[serde(default)]
    return_token_type: String,
}

/// Refusals have HTTP 200 as well; only what is not a request at all has 400 or 405.
pub(super) fn answer(world: &World, call: &Call) -> Answer {
    if call.method != Method::POST {
        return Answer::text(StatusCode::METHOD_NOT_ALLOWED, "POST only").refused("method");
    }
    let Ok(body) = serde_json::from_slice::<Body>(&call.body) else {
        let body = json!({ "Message": "The request is invalid." });
        return Answer::json(StatusCode::BAD_REQUEST, &body).refused("not understood");
    };
    let asked = Asked {
        signed_system_token: body.signed_system_token,
        application_token: body.application_token,
        context_identifier: body.context_identifier,
        return_token_type: body.return_token_type,
    };
    told(exchange(world, &asked))
}

fn told(outcome: Outcome) -> Answer {
    let body = json!({
        "IsSuccessful": outcome.result.is_ok(),
        "Token": outcome.result.as_ref().ok(),
        "ErrorMessage": outcome.result.as_ref().err(),
    });
    outcome.noted(Answer::json(StatusCode::OK, &body).not_stored())
}
