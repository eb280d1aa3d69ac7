//! Which page posted a form.

use http::{HeaderMap, header};

use super::failure::{Failed, Failure};

/// Browsers say which page posted a form (Fetch §3.1); only the provider's may. `null` is what they
/// say where that page sends no referrer: the attempt is tied to its browser all the same, which a
/// legacy token is not.
pub(super) fn from_the_provider(expected: &str, headers: &HeaderMap) -> Result<(), Failed> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let accepted = match (origins.next().map(http::HeaderValue::as_bytes), origins.next()) {
        (None | Some(b"null"), None) => true,
        (Some(origin), None) => origin == expected.as_bytes(),
        (_, Some(_)) => false,
    };
    if accepted {
        return Ok(());
    }
    let detail = format!("a form posted from elsewhere than {expected}");
    Err(Failed::new(Failure::PostOriginRefused, detail))
}
