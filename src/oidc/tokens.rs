//! A provider's token endpoint: a code or a refresh token goes in, tokens come out (RFC 6749 §4.1.3 and
//! §6).

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use url::Url;

use crate::crypto::Secret;
use crate::identity::RefreshToken;
use crate::superid::{
    AnswerGarbled, CodeGrant, Counted, ErrorCode, NotRevoked, Object, Outage, seconds,
};
use crate::telemetry::{Child, Endpoint, child};

use super::client_proof::{Proving, proven};
use super::failure::ProviderFailed;
use crate::config::ClientAuthentication;

/// What a code or a refresh token was redeemed for. The id_token has not been looked at.
pub(super) struct Tokens {
    /// Only for asking the provider about the person; it is never kept, and no app is told it.
    pub(super) access_token: Option<Secret>,
    /// Seconds the access token is good for, 1 to 86,400.
    pub(super) expires_in: u64,
    /// Always there for a code; with a refresh token it may be absent (OpenID Connect Core §12.2).
    pub(super) id_token: Option<Secret>,
    pub(super) refresh_token: Option<RefreshToken>,
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
    let tokens = answered(channel, url, (form, authorization)).await?;
    match tokens.id_token {
        Some(_) => Ok(tokens),
        None => Err(Outage::from(AnswerGarbled::IdToken).into()),
    }
}

/// Redeems a refresh token.
///
/// # Errors
/// [`ProviderFailed`]. One that may be used once is spent, unless nothing was sent.
pub(super) async fn refresh(
    channel: &Counted,
    (url, client): (&Url, &ClientAuthentication),
    proving: Proving<'_>,
    token: &RefreshToken,
) -> Result<Tokens, ProviderFailed> {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token.reveal())];
    answered(channel, url, proven(client, proving, &fields)?).await
}

/// Tells the provider that a refresh token is wanted no more. It says that this is done of one it does not
/// know, too (RFC 7009 §2.2).
///
/// # Errors
/// [`NotRevoked`].
pub(super) async fn revoke(
    channel: &Counted,
    (url, client): (&Url, &ClientAuthentication),
    proving: Proving<'_>,
    token: &RefreshToken,
) -> Result<(), NotRevoked> {
    let fields = [("token", token.reveal()), ("token_type_hint", "refresh_token")];
    let (form, authorization) = proven(client, proving, &fields).map_err(unanswered)?;
    let to = (Endpoint::ProviderRevocation, url);
    let answer = post(channel, to, form, authorization).await.map_err(unanswered)?;
    match answer.status().is_success() {
        true => Ok(()),
        false => Err(NotRevoked::Answered(answer.status().as_u16())),
    }
}

/// Why a token is not revoked where the provider could not be asked.
pub(super) fn unanswered(failed: ProviderFailed) -> NotRevoked {
    match failed {
        ProviderFailed::Outage(outage) => NotRevoked::Unanswered(outage),
        _ => NotRevoked::Unanswered(Outage::Unreadable.into()),
    }
}

async fn answered(
    channel: &Counted,
    url: &Url,
    (form, authorization): (String, Option<HeaderValue>),
) -> Result<Tokens, ProviderFailed> {
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
    let id_token = match answer.text("id_token") {
        None if answer.has("id_token") => return Err(AnswerGarbled::IdToken),
        stated => stated.map(|token| Secret::new(token.to_owned())),
    };
    let refresh_token = answer.text("refresh_token").and_then(|one| RefreshToken::parse(one).ok());
    let expires_in = seconds(answer.get("expires_in")).unwrap_or(AN_HOUR);
    Ok(Tokens { access_token, expires_in, id_token, refresh_token })
}

/// What fits in a header (RFC 6750 §2.1).
fn is_token(text: &str) -> bool {
    (1..=8192).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Where a provider does not say how long its access token is good (RFC 6749 §5.1).
const AN_HOUR: u64 = 3_600;
