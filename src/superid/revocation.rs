//! A refresh token that is wanted no more, told to SuperID (RFC 7009; `superid.md` §1).

use std::sync::Arc;

use crate::config::RelyingParty;
use crate::identity::RefreshToken;
use crate::telemetry::Endpoint;

use super::asked::asked;
use super::counted::Counted;
use super::failure::Outage;

/// Why a token may still be good where it came from.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotRevoked {
    /// It answered something else than that it is done.
    #[error("the provider answered {0}")]
    Answered(u16),
    /// The provider takes none back, as far as is known.
    #[error("the provider has no address for it")]
    NotOffered,
    /// It could not be asked.
    #[error("the provider could not be asked")]
    Unanswered(#[source] Arc<Outage>),
}

/// Tells it. In the body as RFC 7009 §2.1 has it, with our own proof: the one published sample writes the
/// token into the query, where it would end up in logs.
pub(super) async fn revoke(
    back_channel: &Counted,
    party: &RelyingParty,
    token: &RefreshToken,
) -> Result<(), NotRevoked> {
    let url = party.environment().and_then(|environment| environment.revocation_url.as_ref());
    let (Some(url), Some(secret)) = (url, &party.client_secret) else {
        return Err(NotRevoked::NotOffered);
    };
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("token", token.reveal())
        .append_pair("token_type_hint", "refresh_token")
        .append_pair("client_id", &party.client_id)
        .append_pair("client_secret", secret.reveal())
        .finish();
    let answer = asked(back_channel.post(Endpoint::Revocation, url, form)).await;
    let answer = answer.map_err(|failed| NotRevoked::Unanswered(Arc::new(failed.into())))?;
    match answer.status.is_success() {
        true => Ok(()),
        false => Err(NotRevoked::Answered(answer.status.as_u16())),
    }
}
