//! `[relying_party.NAME.legacy]`: SuperID's older sign-in.

use std::collections::HashMap;

use crate::crypto::RsaPublic;
use crate::identity::ContextId;

use super::{Key, Table};

pub(super) const LEGACY_TABLE: Table = Table {
    header: "relying_party.NAME.legacy",
    keys: &[
        Key::defaulted("serials", "{}").such_as("{ Cust12345 = \"1501052557\" }"),
        Key::defaulted("redirect_parameter", "\"none\""),
        Key::defaulted("null_origin", "\"refused\""),
        Key::defaulted("token", "\"jwt\""),
        Key::defaulted("method", "\"post\""),
        Key::optional("saml", "{ certificates = [\"superid.pem\"] }"),
    ],
};

pub(super) const SAML_TABLE: Table = Table {
    header: "relying_party.NAME.legacy.saml",
    keys: &[
        Key::optional("audience", "\"https://app.example/\""),
        Key::defaulted("certificates", "[]").such_as("[\"superid.pem\"]"),
        Key::optional("recipient", "\"optional\""),
        Key::defaulted("sha1", "\"refused\""),
    ],
};

/// What the legacy flow needs besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Legacy {
    /// Serial numbers of known tenants: the audience of their tokens is `spn:{serial}`.
    pub serials: HashMap<ContextId, String>,
    /// Whether and how the redirect URL is named in the sign-in address (`superid.md` §1).
    pub redirect_parameter: RedirectParameter,
    pub null_origin: NullOrigin,
    /// Which tokens are taken.
    pub token: LegacyToken,
    /// By which ways they are taken.
    pub method: LegacyMethod,
    pub saml: LegacySaml,
}

/// What an assertion is held against, besides what holds for every token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacySaml {
    /// The audience, exactly; by default the one a JWT has, `spn:{serial}`.
    pub audience: Option<String>,
    /// Keys of the certificates that are believed; where there are none, those of SuperID's key set
    /// are, because it signs both kinds with the same key (`superid.md` §3.4).
    pub keys: Vec<RsaPublic>,
    pub recipient: SamlRecipient,
    pub sha1: Sha1,
}

/// Whether an assertion must say that it is for our redirect URL. One that names another address is
/// refused either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamlRecipient {
    Optional,
    Required,
}

/// Whether SHA-1 is taken in a signature and its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sha1 {
    Accepted,
    Refused,
}

/// The kinds of token a registration can be set to (`superid.md` §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyToken {
    Either,
    Jwt,
    Saml,
}

/// The ways a registration can be set to (`superid.md` §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyMethod {
    Either,
    Get,
    Post,
}

/// The documentation says `redirect_url`, the official helper sends `redirect_uri`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectParameter {
    None,
    RedirectUri,
    RedirectUrl,
}

/// What a posted form with `Origin: null` gets. Any sandboxed page can send one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullOrigin {
    Accepted,
    Refused,
}

impl Legacy {
    /// Whether tokens come in a form.
    pub fn is_posted(&self) -> bool {
        self.method != LegacyMethod::Get
    }

    /// Whether tokens come in an address.
    pub fn is_in_address(&self) -> bool {
        self.method != LegacyMethod::Post
    }
}
