//! `[relying_party.NAME]`: our registration at SuperOffice.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::crypto::{Secret, sha256};
use crate::identity::ContextId;

use super::{
    Authority, Environment, Key, Legacy, Membership, Response, SystemUser, Table, Trust, Webhook,
};

pub(super) const TABLE: Table = Table {
    header: "relying_party.NAME",
    keys: &[
        Key::optional("title", "\"Orders\""),
        Key::required("environment", "\"sod\""),
        Key::optional("provider", "\"google\""),
        Key::required("client_id", "\"0123456789abcdef0123456789abcdef\""),
        Key::required("client_secret", "{ env = \"SUPERID_CLIENT_SECRET\" }"),
        Key::defaulted("redirect_path", "\"/auth/callback\""),
        Key::defaulted("flow", "\"code\""),
        Key::defaulted("response_type", "\"code\"").such_as("\"code id_token\""),
        Key::optional("response_mode", "\"form_post\""),
        Key::optional("error_callback_path", "\"/auth/error\""),
        Key::defaulted("pkce", "\"S256\""),
        Key::defaulted("refresh_tokens", "\"use_and_revoke\""),
        Key::optional("tenant", "\"Cust12345\""),
        Key::defaulted("listed", "true"),
        Key::defaulted("authorization", "\"admin\""),
        Key::optional("legacy", "{ serials = { Cust12345 = \"1501052557\" } }"),
        Key::defaulted("client_authentication", "\"client_secret_post\""),
        Key::optional("client_key", "{ file = \"client-key.pem\" }"),
        Key::optional("client_key_id", "\"2026-11\""),
        Key::optional("client_certificate", "\"client-certificate.pem\""),
        Key::optional("people", "{ hosted_domains = { \"example.com\" = \"Cust12345\" } }"),
        Key::optional("system_user", "{ key = { file = \"partner-key.xml\" } }"),
        Key::optional(
            "webhook",
            "{ url = \"https://app.example/events\", secret = { env = \"WEBHOOK_SECRET\" } }",
        ),
    ],
};

/// One registered application at one authority.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    pub name: String,
    /// What the chooser page calls it; the name by default.
    pub title: String,
    /// Who says who people are.
    pub authority: Authority,
    pub client_id: String,
    /// The secret SuperOffice gave; a registration with SuperID has one, others never.
    pub client_secret: Option<Secret>,
    /// Path of the registered redirect URL on every host it serves. Default `/auth/callback`.
    pub redirect_path: String,
    pub flow: Flow,
    /// What the code flow asks for; a code in the query by default.
    pub response: Response,
    /// Path of the error callback URL, where one is registered: it says what went wrong there.
    pub error_callback_path: Option<String>,
    pub pkce: Pkce,
    /// What becomes of refresh tokens its sign-ins bring.
    pub refresh_tokens: RefreshTokens,
    /// Sign in to this tenant only, without SuperID's tenant picker.
    pub tenant: Option<ContextId>,
    /// Whether the chooser page shows it; others are chosen by host, path or tenant alone.
    pub listed: bool,
    /// Who approves the app for a customer.
    pub authorization: Authorization,
    /// What it buys system user tickets with, where it does.
    pub system_user: Option<Arc<SystemUser>>,
    /// Who is told what happened to its installations.
    pub webhook: Option<Arc<Webhook>>,
    /// What sessions and sign-ins under way are bound to.
    pub bond: Bond,
}

/// A digest of what makes a relying party this one: its name, its authority, its client id and its
/// tenant. A table of the same name that means another one has another bond, so that nothing begun with
/// one goes on with the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bond(pub [u8; 16]);

impl Bond {
    /// Of these four.
    pub fn of(
        name: &str,
        authority: &Authority,
        client_id: &str,
        tenant: Option<&ContextId>,
    ) -> Self {
        let issuer = match authority {
            Authority::SuperId(environment) => environment.issuer.as_str(),
            Authority::Provider(member) => member.provider.issuer.as_str(),
            Authority::WsFederation(trust) => trust.federation.issuer.as_str(),
        };
        let tenant = tenant.map_or("", |tenant| tenant.as_str());
        let parts = [name, authority.name(), issuer, client_id, tenant];
        let lengths: Vec<[u8; 8]> =
            parts.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
        let framed: Vec<&[u8]> = parts
            .iter()
            .zip(&lengths)
            .flat_map(|(part, length)| [length.as_slice(), part.as_bytes()])
            .collect();
        let mut short = [0; 16];
        short.copy_from_slice(&sha256(&framed)[..16]);
        Self(short)
    }
}

/// Who approves an app for a customer, as SuperOffice calls it (`superid.md` §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authorization {
    /// An administrator of the customer.
    Admin,
    /// SuperOffice's own people set it up for each customer, as they do for custom apps.
    Explicit,
    /// Nobody: SuperOffice's own apps.
    Implicit,
    /// Each person for themselves.
    User,
}

impl RelyingParty {
    /// The SuperID it is registered with; `None` where it is somebody else's provider.
    pub fn environment(&self) -> Option<&Arc<Environment>> {
        match &self.authority {
            Authority::SuperId(environment) => Some(environment),
            Authority::Provider(_) | Authority::WsFederation(_) => None,
        }
    }

    /// How it stands with somebody else's OpenID provider; `None` where it is something else.
    pub fn membership(&self) -> Option<&Arc<Membership>> {
        match &self.authority {
            Authority::SuperId(_) | Authority::WsFederation(_) => None,
            Authority::Provider(member) => Some(member),
        }
    }

    /// How it stands with a provider of WS-Federation; `None` where it is something else.
    pub fn trust(&self) -> Option<&Arc<Trust>> {
        match &self.authority {
            Authority::SuperId(_) | Authority::Provider(_) => None,
            Authority::WsFederation(trust) => Some(trust),
        }
    }

    /// Whether it can sign people of this tenant in, as far as that is known beforehand.
    pub fn serves_tenant(&self, tenant: &ContextId) -> bool {
        match (&self.tenant, &self.authority) {
            (Some(own), _) => own == tenant,
            (None, Authority::SuperId(_)) => true,
            (None, Authority::Provider(member)) => member.people.may_be_of(tenant),
            (None, Authority::WsFederation(trust)) => trust.people.may_be_of(tenant),
        }
    }

    /// Whether nothing but our own memory keeps an answer from being used twice: a code is one-use
    /// where it came from, a token is good until it ends.
    pub fn brings_tokens_alone(&self) -> bool {
        match self.flow {
            Flow::Code => !self.response.parts.code,
            Flow::Legacy(_) | Flow::WsFederation => true,
        }
    }
}

/// How people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// OpenID Connect's authorization code.
    Code,
    /// SuperID's older form post of a JWT, or of SAML.
    Legacy(Legacy),
    /// WS-Federation's passive requests.
    WsFederation,
}

/// What becomes of refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshTokens {
    /// They are thrown away: a session's access token lives its one life, as where none came.
    Ignore,
    /// Tokens are had anew with them; after a session's end they stay good at the provider.
    Use,
    /// Tokens are had anew with them, and where the provider takes it they are revoked there when their
    /// session is ended (RFC 7009).
    UseAndRevoke,
}

/// Proof Key for Code Exchange (RFC 7636), always with S256.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pkce {
    Off,
    S256,
}
