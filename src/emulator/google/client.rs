//! Registrations at the provider, and how it behaves.

use serde::{Deserialize, Serialize};

use super::keys::Algorithm;

/// An app that may send people to the provider.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GoogleClient {
    pub client_id: String,
    #[serde(default)]
    pub client_secret: String,
    /// Exact addresses.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Exact addresses that sign-out may lead to.
    #[serde(default)]
    pub post_logout_uris: Vec<String>,
    #[serde(default)]
    pub auth: ClientAuth,
    /// Public keys for `private_key_jwt`, as PEM (`SubjectPublicKeyInfo`).
    #[serde(default)]
    pub keys: Vec<String>,
    /// Whether authorization requests must have been pushed (RFC 9126).
    #[serde(default)]
    pub pushed_only: bool,
}

impl GoogleClient {
    /// A registration with one redirect address and everything else at its default.
    pub fn new(client_id: &str, client_secret: &str, redirect_uri: &str) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            redirect_uris: vec![redirect_uri.into()],
            ..Self::default()
        }
    }
}

/// How a client must prove itself; another way is refused (OpenID Connect Core 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// By its secret, in the header or in the form, as Google takes it.
    #[default]
    AnySecret,
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
}

/// What the provider does, for every client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GoogleSettings {
    pub algorithm: Algorithm,
    pub iss_parameter: IssParameter,
    /// Userinfo is about somebody else than the id_token.
    pub other_userinfo: bool,
}

/// The `iss` of an authorization response (RFC 9207).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssParameter {
    /// Neither promised nor sent.
    Absent,
    /// Promised, and not sent.
    Missing,
    #[default]
    Sent,
    /// Another provider's.
    Wrong,
}
