//! The addresses people are sent to (WS-Federation 1.2 §13.2.1 and §13.2.4).

use form_urlencoded::Serializer;
use time::OffsetDateTime;
use url::Url;

use crate::clock::Timestamp;
use crate::config::Federation;

/// The query of a sign-in: who asks (`realm`), where the token is posted to (`reply`), and what comes
/// back beside it (`context`).
pub fn sign_in_query(
    federation: &Federation,
    (realm, reply): (&str, &str),
    context: &str,
    now: Timestamp,
) -> String {
    let mut query = Serializer::new(String::with_capacity(1024));
    query
        .append_pair("wa", "wsignin1.0")
        .append_pair("wtrealm", realm)
        .append_pair("wreply", reply)
        .append_pair("wctx", context);
    if let Some(moment) = moment(now) {
        query.append_pair("wct", &moment);
    }
    query.extend_pairs(&federation.parameters);
    query.finish()
}

/// Where people are signed out of the provider and come back from.
pub fn sign_out(federation: &Federation, realm: &str, back: &str) -> Url {
    let mut url = federation.sign_out_url.clone();
    url.query_pairs_mut()
        .append_pair("wa", "wsignout1.0")
        .append_pair("wtrealm", realm)
        .append_pair("wreply", back);
    url
}

/// `xs:dateTime` in UTC.
fn moment(now: Timestamp) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(i64::try_from(now.0).ok()?).ok()?;
    let (date, (hour, minute, second)) = (time.date(), time.to_hms());
    Some(format!("{date}T{hour:02}:{minute:02}:{second:02}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_with_seconds() {
        assert_eq!(moment(Timestamp(1_000_000)).as_deref(), Some("1970-01-12T13:46:40Z"));
        assert_eq!(moment(Timestamp(u64::MAX)), None);
    }
}
