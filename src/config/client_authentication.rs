//! How a registration of ours proves to a provider that it is us.

use std::fmt;

use crate::crypto::{AssertionKey, ClientIdentity, Secret, plain_sha256};

use super::certificate::existing_file;
use super::reading::quoted;
use super::secret_source::{read_small, secret};
use super::section::Section;
use super::value::Value;

/// What goes with calls to the token endpoint (RFC 6749 §2.3, OpenID Connect Core §9, RFC 8705 §2).
#[derive(Clone, Debug)]
pub enum ClientAuthentication {
    /// The secret by `Authorization: Basic`.
    Basic(Secret),
    /// A client certificate on the connection.
    Certificate(ClientIdentity),
    /// Nothing: a public client, whom PKCE alone protects.
    Nobody,
    /// The secret in the form.
    Post(Secret),
    /// A short-lived assertion that we sign (RFC 7523).
    SignedJwt(AssertionSigner),
}

/// What signs assertions, and how it is called.
#[derive(Clone)]
pub struct AssertionSigner {
    pub key: AssertionKey,
    /// `kid`, where the provider knows it by one.
    pub key_id: Option<String>,
    /// SHA-256 of the certificate that holds its public half: Microsoft wants it as `x5t#S256`.
    pub thumbprint: Option<[u8; 32]>,
}

impl fmt::Debug for AssertionSigner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AssertionSigner({:?}, {:?})", self.key, self.key_id)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Basic,
    Certificate,
    Nobody,
    Post,
    SignedJwt,
}

/// Reads how the relying party of a provider proves itself. `given` is its secret, where it has one.
pub(super) fn client_authentication(
    section: &Section,
    given: Option<&Secret>,
) -> Option<ClientAuthentication> {
    let method = section.read("client_authentication", method)?;
    refuse_idle(section, method);
    match method {
        Method::Basic => needed(section, given).map(ClientAuthentication::Basic),
        Method::Post => needed(section, given).map(ClientAuthentication::Post),
        Method::Nobody => Some(ClientAuthentication::Nobody),
        Method::SignedJwt => signer(section).map(ClientAuthentication::SignedJwt),
        Method::Certificate => identity(section).map(ClientAuthentication::Certificate),
    }
}

/// SuperID knows one way alone (`superid.md` §4).
pub(super) fn refuse_other_than_post(section: &Section) {
    let way = section.read("client_authentication", method);
    if way.is_some_and(|way| way != Method::Post) {
        section.reading.problem(
            &section.place("client_authentication"),
            "is not how SuperID is told who we are",
            "leave it out",
        );
    }
}

fn method(value: &Value) -> Option<Method> {
    value.choice(&[
        ("client_secret_post", Method::Post),
        ("client_secret_basic", Method::Basic),
        ("private_key_jwt", Method::SignedJwt),
        ("tls_client_auth", Method::Certificate),
        ("none", Method::Nobody),
    ])
}

/// A secret nobody sends is one that leaks for nothing.
fn refuse_idle(section: &Section, method: Method) {
    let used: &[&str] = match method {
        Method::Basic | Method::Post => &["client_secret"],
        Method::Certificate => &["client_key", "client_certificate"],
        Method::Nobody => &[],
        Method::SignedJwt => &["client_key", "client_key_id", "client_certificate"],
    };
    for key in ["client_secret", "client_key", "client_key_id", "client_certificate"] {
        if section.has(key) && !used.contains(&key) {
            section.reading.problem(
                &section.place(key),
                "is not used by this client_authentication",
                "leave it out, or choose another client_authentication",
            );
        }
    }
}

fn needed(section: &Section, given: Option<&Secret>) -> Option<Secret> {
    if !section.has("client_secret") {
        let instead = format!("write client_secret = {}", section.example("client_secret"));
        section.reading.problem(&section.place("client_secret"), "is missing", instead);
    }
    given.cloned()
}

fn signer(section: &Section) -> Option<AssertionSigner> {
    let key_id = section.optional("client_key_id", |value| value.line(200));
    let key = section.needed("client_key", |value| {
        let text = secret(value, "put the private key there")?;
        AssertionKey::from_pem(&text)
            .map_err(|refused| value.refuse::<()>(refused.to_string(), value.key.hint()))
            .ok()
    })?;
    let thumbprint = section.optional("client_certificate", |value| {
        let leaf = ClientIdentity::leaf(&pem(value)?);
        match leaf {
            Ok(leaf) => Some(plain_sha256(&leaf)),
            Err(reason) => value.refuse(reason, value.key.hint()),
        }
    });
    if section.has("client_certificate") && thumbprint.is_none() {
        return None;
    }
    if key_id.is_none() && thumbprint.is_none() {
        let wrong = "is missing: the provider could not tell which key has signed";
        let instead = "write client_key_id, or client_certificate for Microsoft";
        section.reading.problem(&section.place("client_key_id"), wrong, instead);
        return None;
    }
    Some(AssertionSigner { key, key_id, thumbprint })
}

fn identity(section: &Section) -> Option<ClientIdentity> {
    let key = section.needed("client_key", |value| secret(value, "put the private key there"));
    let chain = section.needed("client_certificate", pem);
    match ClientIdentity::from_pem(&chain?, &key?) {
        Ok(identity) => Some(identity),
        Err(reason) => {
            let wrong = format!("and client_key make no certificate to show: {reason}");
            let instead = "name a PEM chain, leaf first, and its private key";
            section.reading.problem(&section.place("client_certificate"), wrong, instead);
            None
        }
    }
}

fn pem(value: &Value) -> Option<String> {
    let path = existing_file(value)?;
    match read_small(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            let wrong = format!("{} cannot be read: {error}", quoted(&path.to_string_lossy()));
            value.refuse(wrong, value.key.hint())
        }
    }
}
