//! The token endpoint: a code or a refresh token goes in, tokens come out (RFC 6749 §4.1.3 and §6,
//! `superid.md` §4).

use http::StatusCode;

use crate::back_channel::Answer;
use crate::config::{Environment, RelyingParty};
use crate::crypto::Secret;
use crate::identity::{AccessToken, ContextId, RefreshToken};
use crate::telemetry::Endpoint;

use super::asked::asked;
use super::counted::Counted;
use super::failure::{AnswerGarbled, ErrorCode, Outage, SignInFailed};
use super::json::{Json, Object};

/// An authorization code, and what the sign-in it ends began with.
#[derive(Clone, Copy)]
pub struct CodeGrant<'a> {
    /// As it came to the callback.
    pub code: &'a str,
    /// Exactly as it was sent to the authorize endpoint.
    pub redirect_uri: &'a str,
    /// The PKCE verifier, where a challenge was sent.
    pub verifier: Option<&'a str>,
    /// The nonce that was sent.
    pub nonce: &'a str,
    /// The tenant that was asked for, which must be the one signed in to.
    pub tenant: Option<&'a ContextId>,
}

/// What a code or a refresh token was redeemed for. The id_token has not been looked at.
pub(super) struct Tokens {
    pub(super) access_token: AccessToken,
    /// Seconds, 1 to 86,400.
    pub(super) expires_in: u64,
    pub(super) id_token: Secret,
    /// Absent where the one before stays good; one we could not send again counts as absent.
    pub(super) refresh_token: Option<RefreshToken>,
}

/// Redeems a code. Everything goes in the body, the secret too (`client_secret_post`): a query
/// would end up in logs.
pub(super) async fn redeem(
    back_channel: &Counted,
    (environment, party): (&Environment, &RelyingParty),
    grant: &CodeGrant<'_>,
) -> Result<Tokens, SignInFailed> {
    let nobody = || SignInFailed::Misconfigured { error: ErrorCode::of("no_client_secret") };
    let form = body((party, party.client_secret.as_ref().ok_or_else(nobody)?), grant);
    answered(back_channel, environment, form).await
}

/// Redeems a refresh token (RFC 6749 §6). No `redirect_uri`: SuperID's parameter is optional there.
pub(super) async fn refresh(
    back_channel: &Counted,
    (environment, party): (&Environment, &RelyingParty),
    token: &RefreshToken,
) -> Result<Tokens, SignInFailed> {
    let nobody = || SignInFailed::Misconfigured { error: ErrorCode::of("no_client_secret") };
    let secret = party.client_secret.as_ref().ok_or_else(nobody)?;
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", &party.client_id)
        .append_pair("client_secret", secret.reveal())
        .append_pair("refresh_token", token.reveal())
        .finish();
    answered(back_channel, environment, form).await
}

async fn answered(
    back_channel: &Counted,
    environment: &Environment,
    form: String,
) -> Result<Tokens, SignInFailed> {
    let posted = back_channel.post(Endpoint::Token, &environment.token_url, form);
    let answer = asked(posted).await.map_err(Outage::from)?;
    if answer.status == StatusCode::OK {
        Ok(read(&answer.body).map_err(Outage::from)?)
    } else {
        Err(refused(&answer))
    }
}

fn body((party, secret): (&RelyingParty, &Secret), grant: &CodeGrant<'_>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("client_id", &party.client_id)
        .append_pair("client_secret", secret.reveal())
        .append_pair("code", grant.code)
        .append_pair("redirect_uri", grant.redirect_uri);
    if let Some(verifier) = grant.verifier {
        form.append_pair("code_verifier", verifier);
    }
    form.finish()
}

/// What an answer other than 200 means (RFC 6749 §5.2).
///
/// ```text
/// 4xx, error invalid_client or unauthorized_client  our registration
/// 4xx, any other error                              the code
/// 408, 429, other statuses, or no readable error    SuperID
/// ```
fn refused(answer: &Answer) -> SignInFailed {
    let status = answer.status;
    let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    let body = Object::parse(&answer.body).ok();
    match body.as_ref().and_then(|body| body.text("error")) {
        Some(error) if status.is_client_error() && !busy => {
            let code = ErrorCode::of(error);
            match error {
                "invalid_client" | "unauthorized_client" => {
                    SignInFailed::Misconfigured { error: code }
                }
                _ => SignInFailed::Refused { error: code },
            }
        }
        _ => Outage::Status(status.as_u16()).into(),
    }
}

fn read(body: &[u8]) -> Result<Tokens, AnswerGarbled> {
    let answer = Object::parse(body).map_err(|_| AnswerGarbled::NotAnObject)?;
    let bearer = answer.text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    if !bearer {
        return Err(AnswerGarbled::TokenType);
    }
    let access_token = answer.text("access_token").ok_or(AnswerGarbled::AccessToken)?;
    let id_token = answer.text("id_token").ok_or(AnswerGarbled::IdToken)?;
    Ok(Tokens {
        access_token: AccessToken::parse(access_token).map_err(|_| AnswerGarbled::AccessToken)?,
        expires_in: seconds(answer.get("expires_in")).ok_or(AnswerGarbled::ExpiresIn)?,
        id_token: Secret::new(id_token.to_owned()),
        refresh_token: answer.text("refresh_token").and_then(|one| RefreshToken::parse(one).ok()),
    })
}

/// A number, or a decimal string as older samples have it; more than a day counts as a day.
pub(crate) fn seconds(value: Option<&Json>) -> Option<u64> {
    let stated = match value? {
        Json::Text(text) if text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok()?
        }
        Json::Whole(number) => *number,
        _ => return None,
    };
    (stated > 0).then_some(stated.min(86_400))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn good() -> Value {
        json!({"token_type": "Bearer", "access_token": "8A:Cust1.x", "expires_in": 3600,
            "id_token": "a.b.c", "refresh_token": "r"})
    }

    fn garbled(name: &str, value: Value) -> Option<AnswerGarbled> {
        let mut answer = good();
        answer[name] = value;
        read(answer.to_string().as_bytes()).err()
    }

    #[test]
    fn the_published_spellings_are_read() {
        assert_eq!(garbled("token_type", json!("bearer")), None);
        assert_eq!(garbled("expires_in", json!("300")), None);
        let tokens = read(good().to_string().as_bytes()).ok().unwrap();
        assert_eq!((tokens.access_token.reveal(), tokens.expires_in), ("8A:Cust1.x", 3600));
        assert_eq!(seconds(Some(&Json::Whole(u64::MAX))), Some(86_400));
    }

    #[test]
    fn an_answer_that_lacks_something_is_garbled() {
        for (name, value, expected) in [
            ("token_type", json!("mac"), AnswerGarbled::TokenType),
            ("token_type", json!(null), AnswerGarbled::TokenType),
            ("access_token", json!(""), AnswerGarbled::AccessToken),
            ("access_token", json!("a\r\nb"), AnswerGarbled::AccessToken),
            ("expires_in", json!(0), AnswerGarbled::ExpiresIn),
            ("expires_in", json!(-1), AnswerGarbled::ExpiresIn),
            ("expires_in", json!("1h"), AnswerGarbled::ExpiresIn),
            ("expires_in", json!(null), AnswerGarbled::ExpiresIn),
            ("id_token", json!(null), AnswerGarbled::IdToken),
        ] {
            assert_eq!(garbled(name, value), Some(expected), "{name}");
        }
        let twice = good().to_string().replacen('{', r#"{"id_token":"x.y.z","#, 1);
        assert_eq!(read(twice.as_bytes()).err(), Some(AnswerGarbled::NotAnObject));
    }

    fn verdict(status: u16, body: &str) -> SignInFailed {
        let status = StatusCode::from_u16(status).unwrap();
        refused(&Answer { status, body: body.to_owned().into() })
    }

    #[test]
    fn a_refusal_says_whose_fault_it_is() {
        for (status, error) in [(400, "invalid_grant"), (401, "invalid_grant"), (403, "<b>")] {
            let body = json!({"error": error}).to_string();
            assert!(matches!(verdict(status, &body), SignInFailed::Refused { .. }), "{error}");
        }
        for error in ["invalid_client", "unauthorized_client"] {
            let body = json!({"error": error}).to_string();
            assert!(matches!(verdict(401, &body), SignInFailed::Misconfigured { .. }), "{error}");
        }
        let body = r#"{"error":"invalid_grant"}"#;
        for (status, body) in [
            (500, body),
            (503, body),
            (429, body),
            (408, body),
            (302, ""),
            (404, "<html>"),
            (204, ""),
        ] {
            assert!(matches!(verdict(status, body), SignInFailed::Outage(_)), "{status}");
        }
    }
}
