//! What of an app's headers goes back to the client.
//!
//! Gone are those that are about the app's connection to us, those that would speak for our own
//! door or cookies, those that tell what the app is built of, and those by which we tell the app
//! who is calling: an app that shows what it was sent would show a credential.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pingora::http::ResponseHeader;
use pingora::{Error, ErrorType};

use crate::config::ServerHeaders;
use crate::web::Spoofable;

/// Removes what does not go back. What frames the message stays: pingora frames it anew by it.
///
/// # Errors
/// When the body has a coding besides `chunked`, which we did not say we take (RFC 9112 §6.1), or a
/// header cannot be set.
pub(super) fn clean(
    response: &mut ResponseHeader,
    ours: &Spoofable,
    server_headers: ServerHeaders,
) -> pingora::Result<()> {
    let status = response.status;
    let (mut gone, mut met) = (Vec::new(), Met::default());
    for name in response.headers.keys() {
        let text = name.as_str();
        let kind = Kind::of(text);
        met.note(kind);
        let goes_back = match kind {
            Kind::OfTheServer => server_headers == ServerHeaders::Pass,
            Kind::Connection | Kind::OfOneHop => false,
            // It means something to the client where it is the answer itself.
            Kind::Upgrade => {
                matches!(status, StatusCode::SWITCHING_PROTOCOLS | StatusCode::UPGRADE_REQUIRED)
            }
            Kind::Challenge | Kind::Coding | Kind::Other | Kind::SiteData => true,
        };
        if !goes_back || (ours.covers(text) && text != "x-request-id") {
            gone.push(name.clone());
        }
    }
    if met.has(Kind::Coding) {
        take_no_coding_but_chunked(&response.headers)?;
    }
    if met.has(Kind::Connection) {
        gone.extend(nominated(&response.headers));
    }
    for name in &gone {
        response.remove_header(name);
    }
    if status == StatusCode::SWITCHING_PROTOCOLS {
        response.insert_header(header::CONNECTION, "Upgrade")?;
    }
    if met.has(Kind::Challenge) {
        offer_no_connection_sign_in(response)?;
    }
    if met.has(Kind::SiteData) {
        keep_cookies(response)?;
    }
    Ok(())
}

/// What a header of an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A challenge to say who one is.
    Challenge,
    /// How the body is framed.
    Coding,
    /// What names others that are of the connection.
    Connection,
    /// The app's connection alone, or ports that are ours to name (`Alt-Svc`, RFC 7838).
    OfOneHop,
    /// What the app is built of, or which machines it stands on.
    OfTheServer,
    Other,
    /// What a browser forgets.
    SiteData,
    Upgrade,
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "www-authenticate" => Self::Challenge,
            "transfer-encoding" => Self::Coding,
            "connection" => Self::Connection,
            "alt-svc"
            | "http2-settings"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-connection"
            | "te"
            | "trailer" => Self::OfOneHop,
            "server"
            | "via"
            | "x-aspnet-version"
            | "x-aspnetmvc-version"
            | "x-backend-server"
            | "x-powered-by"
            | "x-sourcefiles" => Self::OfTheServer,
            "clear-site-data" => Self::SiteData,
            "upgrade" => Self::Upgrade,
            _ => Self::Other,
        }
    }
}

/// The kinds there are in an answer: each is looked for once, and nearly every answer has none but others.
#[derive(Clone, Copy, Debug, Default)]
struct Met(u16);

impl Met {
    fn note(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u8;
    }

    fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

fn take_no_coding_but_chunked(headers: &HeaderMap) -> pingora::Result<()> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    if codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        let odd = Error::explain(ErrorType::InvalidHTTPHeader, "a coding nobody asked for");
        return Err(odd.into_up());
    }
    Ok(())
}

/// Whether credentials, or a challenge to send some, sign in a whole connection and not a request
/// (NTLM, Negotiate; RFC 4559 §6). Our connections to an app carry everybody's requests.
pub(super) fn binds_the_connection(value: &HeaderValue) -> bool {
    value.as_bytes().split(|byte| *byte == b',').any(|part| {
        let scheme = part.trim_ascii().split(|byte| *byte == b' ').next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"ntlm") || scheme.eq_ignore_ascii_case(b"negotiate")
    })
}

fn offer_no_connection_sign_in(response: &mut ResponseHeader) -> pingora::Result<()> {
    let offers = response.headers.get_all(header::WWW_AUTHENTICATE);
    if !offers.iter().any(binds_the_connection) {
        return Ok(());
    }
    let others: Vec<HeaderValue> =
        offers.iter().filter(|offer| !binds_the_connection(offer)).cloned().collect();
    response.remove_header(&header::WWW_AUTHENTICATE);
    for offer in others {
        response.append_header(header::WWW_AUTHENTICATE, offer)?;
    }
    Ok(())
}

/// The headers `Connection` names (RFC 9110 §7.6.1), but for those judged by themselves.
fn nominated(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> {
    let values = headers.get_all(header::CONNECTION).into_iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| !BY_THEMSELVES.contains(name))
}

/// Whether a header means something at the head of an answer alone, or tells of the app.
pub(super) fn is_of_the_head(name: &str) -> bool {
    matches!(Kind::of(name), Kind::Connection | Kind::OfOneHop | Kind::OfTheServer | Kind::Upgrade)
}

/// `Clear-Site-Data` would take the session and sign-ins under way with the app's own cookies (W3C
/// Clear Site Data §3.1), so it clears all but cookies; `*` names the rest one by one.
fn keep_cookies(response: &mut ResponseHeader) -> pingora::Result<()> {
    let mut kept: Vec<&str> = Vec::new();
    let values = response.headers.get_all(CLEAR_SITE_DATA).iter();
    for word in values.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(',')) {
        match word.trim() {
            "\"cookies\"" => {}
            "\"*\"" => kept.extend(["\"cache\"", "\"storage\"", "\"executionContexts\""]),
            other => kept.push(other),
        }
    }
    let kept = HeaderValue::try_from(kept.join(", ")).ok().filter(|value| !value.is_empty());
    response.remove_header(&CLEAR_SITE_DATA);
    match kept {
        Some(kept) => response.insert_header(CLEAR_SITE_DATA, kept),
        None => Ok(()),
    }
}

const BY_THEMSELVES: [HeaderName; 3] =
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE];
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(status: u16, headers: &[(&'static str, &str)]) -> Vec<String> {
        let mut response = ResponseHeader::build(status, None).unwrap();
        for (name, value) in headers {
            response.append_header(*name, *value).unwrap();
        }
        let ours = Spoofable::new(&[HeaderName::from_static("x-who")]);
        clean(&mut response, &ours, ServerHeaders::Remove).unwrap();
        let left = response.headers.iter();
        let shown = left.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        let mut shown: Vec<String> = shown.collect();
        shown.sort();
        shown
    }

    #[test]
    fn what_connection_names_goes_with_it_but_never_the_framing() {
        let left = cleaned(
            200,
            &[
                ("Connection", "close, X-Hop,, bad token"),
                ("Connection", "Transfer-Encoding, ETag"),
                ("X-Hop", "1"),
                ("ETag", "2"),
                ("Transfer-Encoding", "chunked"),
                ("X-End", "3"),
            ],
        );
        assert_eq!(left, ["transfer-encoding: chunked", "x-end: 3"]);
    }

    #[test]
    fn a_coding_besides_chunked_is_refused_and_nothing_removed() {
        for (coding, is_taken) in [("chunked", true), ("Chunked", true), ("gzip, chunked", false)] {
            let mut response = ResponseHeader::build(200, None).unwrap();
            response.append_header("Transfer-Encoding", coding).unwrap();
            response.append_header("Server", "app").unwrap();
            let cleaned = clean(&mut response, &Spoofable::new(&[]), ServerHeaders::Remove);
            assert_eq!(cleaned.is_ok(), is_taken, "{coding}");
            assert_eq!(response.headers.contains_key("server"), !is_taken, "{coding}");
        }
    }

    #[test]
    fn upgrade_stays_where_it_is_the_answer() {
        let asked = [("Connection", "Upgrade, X-Hop"), ("Upgrade", "websocket"), ("X-Hop", "1")];
        assert_eq!(cleaned(101, &asked), ["connection: Upgrade", "upgrade: websocket"]);
        assert_eq!(cleaned(200, &asked), [""; 0]);
        assert_eq!(cleaned(426, &[("Upgrade", "websocket")]), ["upgrade: websocket"]);
    }

    #[test]
    fn site_data_is_cleared_but_for_cookies() {
        for (said, left) in [
            ("\"cookies\"", ""),
            ("\"cache\", \"cookies\"", "\"cache\""),
            ("\"*\"", "\"cache\", \"storage\", \"executionContexts\""),
            ("\"storage\"", "\"storage\""),
        ] {
            let expected: Vec<String> = match left {
                "" => Vec::new(),
                left => vec![format!("clear-site-data: {left}")],
            };
            assert_eq!(cleaned(200, &[("Clear-Site-Data", said)]), expected, "{said}");
        }
    }
}
