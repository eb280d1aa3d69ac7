//! A path: one that is taken means the same to whoever decodes it, once or twice.

use percent_encoding::percent_decode_str;
use superid_gateway::web::{Slashes, canonical, canonical_but_for_slashes, with_plain_slashes};
use url::Url;

/// Reads them as a path.
pub fn path(bytes: &[u8]) -> bool {
    let Ok(path) = std::str::from_utf8(bytes) else { return false };
    let Ok(slashes) = canonical_but_for_slashes(path) else {
        assert!(canonical(path).is_err(), "the laxer reading refuses no more");
        return false;
    };
    assert_eq!(canonical(path).is_ok(), slashes == Slashes::Plain);
    let plain = with_plain_slashes(path);
    assert_eq!(canonical(&plain), Ok(()), "with plain slashes it is as good");
    let decoded = decoded(path);
    assert!(!decoded.contains(['\\', '\0', '%']) && !decoded.chars().any(|c| c.is_ascii_control()));
    assert!(!decoded.contains("//"));
    assert!(decoded.split('/').all(|segment| segment != "." && segment != ".."));
    assert!(!path.contains([';', '#', '?', ' ']) && path.is_ascii());
    let url = Url::parse(&format!("http://app.example{path}")).expect("a URL's path");
    assert_eq!(self::decoded(url.path()), decoded, "browsers read it so, too");
    assert_eq!((url.host_str(), url.query(), url.fragment()), (Some("app.example"), None, None));
    true
}

fn decoded(path: &str) -> String {
    percent_decode_str(path).decode_utf8().expect("a path is UTF-8 when decoded").into_owned()
}
