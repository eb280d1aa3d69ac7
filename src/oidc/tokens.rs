//! A provider's token endpoint: a code goes in, an id_token comes out (RFC 6749 §4.1.3).

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use url::Url;

use crate::crypto::Secret;
use crate::superid::{AnswerGarbled, CodeGrant, Counted, ErrorCode, Object, Outage};
use crate::telemetry::{Child, Endpoint, child};

use super::client_proof::{Proving, proven};
use super::failure::ProviderFailed;
use crate::config::ClientAuthentication;

/// What a code was redeemed for. The id_token has not been looked at.
pub(super) struct Tokens {
    /// Only for asking the provider about the person; it is never kept, and no app is told it.
    pub(super) access_token: Option<Secret>,
    pub(super) id_token: Secret,
}

/// Redeems a code.
///
/// # Errors
/// [`ProviderFailed`] says whose fault it is. The code is spent either way.
pub(super) async fn redeem(
    channel: &Counted,
    (url, client): (&Url, &ClientAuthentication),
    proving: Proving<'_>,
    grant: &CodeGrant<'_>,
) -> Result<Tokens, ProviderFailed> {
    let fields = [
        ("grant_type", Some("authorization_code")),
        ("code", Some(grant.code)),
        ("redirect_uri", Some(grant.redirect_uri)),
        ("code_verifier", grant.verifier),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let (form, authorization) = proven(client, proving, &fields.collect::<Vec<_>>())?;
    let answer = post(channel, (Endpoint::ProviderToken, url), form, authorization).await?;
    if answer.status() != StatusCode::OK {
        return Err(refused(&answer));
    }
    Ok(read(answer.body()).map_err(Outage::from)?)
}

/// Posts a form.
pub(super) async fn post(
    channel: &Counted,
    (endpoint, url): (Endpoint, &Url),
    form: String,
    authorization: Option<HeaderValue>,
) -> Result<Response<Bytes>, ProviderFailed> {
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    let mut request = request(Method::POST, url, form.into())?;
    request.headers_mut().insert(CONTENT_TYPE, form_type);
    if let Some(authorization) = authorization {
        request.headers_mut().insert(AUTHORIZATION, authorization);
    }
    call(channel, endpoint, request).await
}

/// A request that takes JSON in return.
pub(super) fn request(
    method: Method,
    url: &Url,
    body: Bytes,
) -> Result<Request<Bytes>, ProviderFailed> {
    let built = Request::builder()
        .method(method)
        .uri(url.as_str())
        .header(ACCEPT, "application/json")
        .body(body);
    built.map_err(|_| Outage::Unreadable.into())
}

/// Sends it, as a part of the trace it belongs to.
pub(super) async fn call(
    channel: &Counted,
    endpoint: Endpoint,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, ProviderFailed> {
    let mut span = child(Child::SuperId);
    let answered = channel.send(endpoint, request).await;
    if let Some(span) = &mut span {
        match &answered {
            Ok(answer) => span.answered(answer.status().as_u16()),
            Err(_) => span.failed(),
        }
    }
    answered.map_err(|failed| Outage::from(failed).into())
}

/// What an answer other than a good one means (RFC 6749 §5.2): 4xx with an error that names our
/// registration, or the sign-in; anything else is an outage.
pub(super) fn refused(answer: &Response<Bytes>) -> ProviderFailed {
    let status = answer.status();
    let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    let body = Object::parse(answer.body()).ok();
    match body.as_ref().and_then(|body| body.text("error")) {
        Some(error) if status.is_client_error() && !busy => {
            let code = ErrorCode::of(error);
            match error {
                "invalid_client" | "unauthorized_client" | "invalid_redirect_uri" => {
                    ProviderFailed::Misconfigured { error: code }
                }
                _ => ProviderFailed::Refused { error: code },
            }
        }
        _ => Outage::Status(status.as_u16()).into(),
    }
}

fn read(body: &[u8]) -> Result<Tokens, AnswerGarbled> {
    let answer = Object::parse(body).map_err(|_| AnswerGarbled::NotAnObject)?;
    let bearer = answer.text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    if answer.has("access_token") && !bearer {
        return Err(AnswerGarbled::TokenType);
    }
    let access_token = match answer.text("access_token") {
        Some(text) if is_token(text) => Some(Secret::new(text.to_owned())),
        None if !answer.has("access_token") => None,
        _ => return Err(AnswerGarbled::AccessToken),
    };
    let id_token = answer.text("id_token").ok_or(AnswerGarbled::IdToken)?;
    Ok(Tokens { access_token, id_token: Secret::new(id_token.to_owned()) })
}

/// What fits in a header (RFC 6750 §2.1).
fn is_token(text: &str) -> bool {
    (1..=8192).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
