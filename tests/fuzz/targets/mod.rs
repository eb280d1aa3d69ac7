//! What is done with arbitrary bytes, and what has to hold whatever they are.
//!
//! Each target says whether it took them, and is called by libFuzzer from `fuzz/` and by the ordinary tests with its corpus.

mod admission;
mod configuration;
mod cookie;
mod form;
mod forwarded;
mod jwt;
mod partner_key;
mod path;
mod proxy_header;
mod return_to;
mod saml;
mod state;
#[allow(dead_code, reason = "headers are read here, and no bodies")]
#[path = "../../front/strict.rs"]
mod strict;

pub use admission::admission;
pub use configuration::configuration;
pub use cookie::cookie;
pub use form::form;
pub use forwarded::forwarded;
pub use jwt::jwt;
pub use partner_key::partner_key;
pub use path::path;
pub use proxy_header::proxy_header;
pub use return_to::return_to;
pub use saml::saml;
pub use state::state;

/// A target: says whether it took the bytes.
#[allow(dead_code, reason = "libFuzzer calls one target of each program")]
pub type Target = fn(&[u8]) -> bool;

/// Every target, by the name of its corpus.
#[allow(dead_code, reason = "libFuzzer calls one target of each program")]
pub const TARGETS: [(&str, Target); 12] = [
    ("admission", admission),
    ("configuration", configuration),
    ("cookie", cookie),
    ("form", form),
    ("forwarded", forwarded),
    ("jwt", jwt),
    ("partner_key", partner_key),
    ("path", path),
    ("proxy_header", proxy_header),
    ("return_to", return_to),
    ("saml", saml),
    ("state", state),
];
