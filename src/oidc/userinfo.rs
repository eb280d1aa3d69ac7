//! What a provider's userinfo endpoint says of a person besides (OpenID Connect Core §5.3).

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, StatusCode};
use url::Url;

use crate::clock::Timestamp;
use crate::config::Provider;
use crate::crypto::Secret;
use crate::superid::{
    ClaimsRefused, Counted, IssuedAt, Json, KeyStore, Object, Outage, Times, UnverifiedToken,
};
use crate::telemetry::Endpoint;

use super::failure::ProviderFailed;
use super::id_token::check_owner;
use super::tokens::{call, request};
use super::vouched::Vouched;

/// By what a signed answer is judged.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub(super) provider: &'a Provider,
    /// Ours, and the only audience.
    pub(super) client_id: &'a str,
    pub(super) keys: &'a KeyStore,
    /// Seconds that two clocks may differ.
    pub(super) leeway: u64,
    pub(super) now: Timestamp,
}

/// Asks, and has the answer added to what the id_token said. It must be about the same subject, as
/// JSON or as a token that the provider has signed for us.
///
/// # Errors
/// [`ProviderFailed`] says whose fault it is.
pub(super) async fn ask(
    channel: &Counted,
    url: &Url,
    access_token: &Secret,
    judged: Judged<'_>,
    vouched: &mut Vouched,
) -> Result<(), ProviderFailed> {
    let mut request = request(Method::GET, url, Bytes::new())?;
    let bearer = access_token.header("Bearer ").ok_or(Outage::Unreadable)?;
    request.headers_mut().insert(AUTHORIZATION, bearer);
    let answer = call(channel, Endpoint::ProviderUserinfo, request).await?;
    if answer.status() != StatusCode::OK {
        return Err(Outage::Status(answer.status().as_u16()).into());
    }
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    let said = if kind.eq_ignore_ascii_case("application/jwt") {
        signed(answer.body(), judged, vouched).await?
    } else {
        Object::parse(answer.body()).map_err(|_| Outage::Unreadable)?
    };
    if said.text("sub") != Some(vouched.subject()) {
        return Err(ClaimsRefused::UserInfoSubject.into());
    }
    vouched.learn(&said);
    Ok(())
}

/// §5.3.2: a signed answer names its issuer and us. Times need not be there; those that are must hold.
async fn signed(
    body: &[u8],
    judged: Judged<'_>,
    vouched: &Vouched,
) -> Result<Object, ProviderFailed> {
    let text = std::str::from_utf8(body).map_err(|_| ClaimsRefused::Malformed)?;
    let token = UnverifiedToken::parse_under(text.trim(), &judged.provider.algorithms)?;
    let known = judged.keys.keys_for(token.key()).await?;
    let claims = token.claims(&known)?;
    if claims.text("iss") != Some(vouched.issuer()) {
        return Err(ClaimsRefused::Issuer.into());
    }
    check_owner((&token, &known), (vouched.issuer(), vouched.text("tid").as_deref()))?;
    if claims.has("exp") || claims.has("nbf") {
        Times::read(&claims, IssuedAt::Optional)?.hold(judged.now, judged.leeway)?;
    }
    let ours = |value: &Json| matches!(value, Json::Text(text) if text == judged.client_id);
    let for_us = match claims.get("aud") {
        Some(Json::Array(all)) => !all.is_empty() && all.iter().all(ours),
        Some(single) => ours(single),
        None => false,
    };
    if for_us { Ok(claims) } else { Err(ClaimsRefused::Audience.into()) }
}
