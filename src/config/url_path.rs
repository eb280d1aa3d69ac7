//! Paths and addresses as the file writes them.

use std::net::IpAddr;

use url::{Host, Url};

use crate::web::{InvalidOrigin, PublicOrigin};

use super::reading::quoted;
use super::value::Value;

/// A path that has one spelling only: begins with `/`, no empty or dot segment, nothing encoded,
/// no `;` parameters, and no slash at its end unless it is `/`. What routing compares must be what
/// every server behind us sees.
pub(super) fn canonical_path(value: &Value) -> Option<String> {
    let path = value.text()?;
    let refuse =
        |wrong: &str, instead: String| value.refuse(format!("{} {wrong}", quoted(path)), instead);
    if !path.starts_with('/') {
        let instead = format!("/{}", path.trim_end_matches('/'));
        return refuse("does not begin with a slash", format!("write {}", quoted(&instead)));
    }
    if let Some(odd) = path.chars().find(|letter| !is_path_letter(*letter)) {
        let instead = "use letters, digits and -._~!$&'()*+,=:@/ alone".to_owned();
        return refuse(&format!("contains {odd:?}"), instead);
    }
    if path.len() > 1 && path.ends_with('/') {
        let instead = format!("write {}", quoted(path.trim_end_matches('/')));
        return refuse("ends with a slash", instead);
    }
    if path.contains("//") {
        return refuse("has an empty segment", "write one slash".to_owned());
    }
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return refuse("has a dot segment", "write the path it leads to".to_owned());
    }
    Some(path.to_owned())
}

/// A public origin, or the origin of a tenant's web service.
pub(super) fn origin(value: &Value) -> Option<PublicOrigin> {
    let text = value.text()?;
    let (wrong, instead) = match PublicOrigin::parse(text) {
        Ok(origin) => return Some(origin),
        Err(InvalidOrigin::Host) => {
            ("does not name one host", "leave the trailing dot or wildcard out")
        }
        Err(InvalidOrigin::MoreThanAnOrigin) => (
            "is more than an origin",
            "write scheme, host and port alone, such as \"https://app.example\"",
        ),
        Err(InvalidOrigin::NotAUrl) => {
            ("is not a URL", "write one such as \"https://app.example\"")
        }
        Err(InvalidOrigin::PlainBeyondLoopback) => (
            "is plain http for another machine",
            "write https (http is for localhost, 127.0.0.1 and [::1] alone)",
        ),
        Err(InvalidOrigin::Scheme) => ("has another scheme", "write https (or http on localhost)"),
    };
    value.refuse(format!("{} {wrong}", shown(text)), instead)
}

/// An address of a SuperID: https, or http on this machine; a path, and nothing after it.
pub(super) fn superid_url(value: &Value) -> Option<Url> {
    let text = value.text()?;
    let url = plain_url(value, "https")?;
    let refuse =
        |wrong: &str, instead: &str| value.refuse(format!("{} {wrong}", shown(text)), instead);
    match url.scheme() {
        "http" if !is_this_machine(&url) => {
            refuse("is plain http for another machine", "write https")
        }
        "http" | "https" => Some(url),
        _ => refuse("has another scheme", "write https"),
    }
}

/// A URL without user name, query or fragment. `scheme` is what one without any probably means.
pub(super) fn plain_url(value: &Value, scheme: &str) -> Option<Url> {
    let text = value.text()?;
    let almost = text.contains(['.', ':']) && !text.contains(['@', '/']);
    let suggestion = match almost {
        true => format!("write {}", quoted(&format!("{scheme}://{text}"))),
        false => value.key.hint(),
    };
    let Ok(url) = Url::parse(text) else {
        return value.refuse(format!("{} is not a URL", shown(text)), suggestion);
    };
    if !url.has_host() || url.host_str() == Some("") {
        return value.refuse(format!("{} is not a URL", shown(text)), suggestion);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return value.refuse("carries a user name or password", "leave them out");
    }
    if url.query().is_some() || url.fragment().is_some() {
        let wrong = format!("{} carries a query or fragment", quoted(text));
        return value.refuse(wrong, "leave out everything from ? or #");
    }
    Some(url)
}

/// A host and its port as `Host` says them, lower case: `localhost:8090`, `[::1]:8090`.
pub(super) fn host_and_port(value: &Value) -> Option<String> {
    let text = value.line(260)?;
    let usable = text.rsplit_once(':').is_none_or(|(host, _)| !host.is_empty())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    if usable {
        return Some(text.to_ascii_lowercase());
    }
    value.refuse(format!("{} is not a host", quoted(&text)), value.key.hint())
}

/// Whether a URL's host is this machine by its very name.
pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Quoted, unless it may carry a password.
fn shown(text: &str) -> String {
    if text.contains('@') { "the address".to_owned() } else { quoted(text) }
}

fn is_path_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-._~!$&'()*+,=:@/".contains(letter)
}
