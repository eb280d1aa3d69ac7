//! Pushed authorization requests (RFC 9126): what we ask reaches the provider from us.

use form_urlencoded::Serializer;
use http::StatusCode;
use url::Url;

use crate::config::ClientAuthentication;
use crate::superid::{Counted, Object, Outage};
use crate::telemetry::Endpoint;

use super::client_proof::{Proving, encoded, proven};
use super::failure::ProviderFailed;
use super::tokens::{post, refused};

/// Pushes the query of an authorize address, and gives the one the browser takes along instead.
///
/// # Errors
/// [`ProviderFailed`] says whose fault it is.
pub(super) async fn push(
    channel: &Counted,
    (url, client): (&Url, &ClientAuthentication),
    proving: Proving<'_>,
    query: &str,
) -> Result<String, ProviderFailed> {
    // Proofs bring the client id where they need it; a header's proof leaves it to the request.
    let parameters = form_urlencoded::parse(query.as_bytes());
    let fields: Vec<_> = parameters.filter(|(name, _)| name != "client_id").collect();
    let (mut form, authorization) = proven(client, proving, &fields)?;
    if authorization.is_some() {
        form = format!("{form}&client_id={}", encoded(proving.client_id));
    }
    let answer = post(channel, (Endpoint::ProviderPushed, url), form, authorization).await?;
    // RFC 9126 §2.2 wants 201; servers of before that answer 200.
    if ![StatusCode::CREATED, StatusCode::OK].contains(&answer.status()) {
        return Err(refused(&answer));
    }
    let answer = Object::parse(answer.body()).map_err(|_| Outage::Unreadable)?;
    let named = answer.text("request_uri").filter(|text| is_reference(text));
    let named = named.ok_or(Outage::Unreadable)?;
    let mut query = Serializer::new(String::new());
    query.append_pair("client_id", proving.client_id).append_pair("request_uri", named);
    Ok(query.finish())
}

fn is_reference(text: &str) -> bool {
    (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
