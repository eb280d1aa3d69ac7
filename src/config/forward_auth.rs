//! `[listener.NAME.forward_auth]`: a listener at which proxies ask whether a request may pass.

use std::sync::Arc;

use crate::web::{DescribedBy, Proxies};

use super::forwarded::place;
use super::section::Section;
use super::{Key, ListenAddress, Table};

pub(super) const TABLE: Table = Table {
    header: "listener.NAME.forward_auth",
    keys: &[
        Key::required("proxies", "[\"127.0.0.1\"]"),
        Key::defaulted("described_by", "\"x_forwarded\""),
        Key::defaulted("sign_in", "\"redirect\""),
    ],
};

/// Who may ask at a listener, and how they and we speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardAuth {
    /// Nobody else is answered.
    pub proxies: Proxies,
    /// Where they say what was asked of them.
    pub described_by: DescribedBy,
    pub sign_in: SignInAnswer,
}

/// What a proxy is told of a browser that has to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInAnswer {
    /// 303, which it hands to the browser.
    Redirect,
    /// 401 with the same address, which it makes a redirect of: nginx takes no other.
    Unauthorized,
}

/// Reads the table of a listener, where it has one; `None`, reported, where it does not hold.
pub(super) fn forward_auth(
    listener: &Section,
    address: Option<&ListenAddress>,
) -> Option<Option<Arc<ForwardAuth>>> {
    if !listener.has("forward_auth") {
        return Some(None);
    }
    let section = listener.section("forward_auth", TABLE.keys);
    let proxies = section.read("proxies", |value| {
        let places = value.distinct(place)?;
        if places.is_empty() {
            return value.refuse("is empty: nobody could ask", value.key.hint());
        }
        if address.is_some_and(|address| !places.iter().all(|place| address.is_reached_from(place)))
        {
            let wrong = "who comes by a unix socket has no address, and nobody else is \"unix\"";
            return value.refuse(wrong, "write [\"unix\"] for a socket in the file system alone");
        }
        Some(Proxies::new(places))
    });
    let described_by = section.read("described_by", |value| {
        value.choice(&[
            ("x_forwarded", DescribedBy::XForwarded),
            ("x_original", DescribedBy::XOriginal),
            ("path", DescribedBy::Path),
        ])
    });
    let sign_in = section.read("sign_in", |value| {
        value.choice(&[
            ("redirect", SignInAnswer::Redirect),
            ("unauthorized", SignInAnswer::Unauthorized),
        ])
    });
    let idle = [
        ("redirect_to_https", "who asks is no browser"),
        ("h2c", "checks are asked over HTTP/1"),
        ("proxy_protocol_from", "who asks is the proxy itself"),
    ];
    for (key, why) in idle {
        if listener.has(key) {
            let wrong = format!("means nothing beside forward_auth: {why}");
            listener.reading.problem(&listener.place(key), wrong, "leave it out");
        }
    }
    let (proxies, described_by, sign_in) = (proxies?, described_by?, sign_in?);
    Some(Some(Arc::new(ForwardAuth { proxies, described_by, sign_in })))
}
