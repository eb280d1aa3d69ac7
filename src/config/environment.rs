//! `[environment.NAME]`: where a SuperID lives and what it calls itself.

use url::Url;

use crate::identity::ContextId;

/// One SuperID: every address, and the exact issuer. The issuer is pinned because SuperID's
/// discovery document names an issuer that is not its own URL (`superid.md` §1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    pub name: String,
    /// `iss` of id_tokens, exactly.
    pub issuer: String,
    /// `iss` of legacy tokens: `SuperOffice AS` (`superid.md` §3.1).
    pub legacy_issuer: String,
    /// The authorize endpoint where SuperID asks for the tenant.
    pub authorize_url: Url,
    /// The authorize endpoint of one tenant; `{ctx}` stands for its name.
    pub tenant_authorize_url: String,
    pub token_url: Url,
    pub jwks_url: Url,
    pub logout_url: Url,
    pub legacy_login_url: Url,
    /// Which tenant addresses in claims are believed.
    pub addresses: AllowedAddresses,
}

/// The environments SuperOffice runs, by the name of the portal (`superid.md` §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvironmentName {
    /// Production: `online.superoffice.com`.
    Online,
    /// Development: `sod.superoffice.com`.
    Sod,
    /// Stage, whose host label is `qaonline`.
    Stage,
}

/// Which hosts may be a tenant's web service (`superid.md` §4, §1: they move).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedAddresses {
    /// These origins exactly, such as `http://127.0.0.1:7000`.
    Origins(Vec<String>),
    /// https on port 443 of any name under `.superoffice.com`.
    SuperOffice,
}

impl Environment {
    /// One of SuperOffice's own.
    pub fn named(name: EnvironmentName) -> Self {
        let (name, label) = match name {
            EnvironmentName::Online => ("online", "online"),
            EnvironmentName::Sod => ("sod", "sod"),
            EnvironmentName::Stage => ("stage", "qaonline"),
        };
        let base = format!("https://{label}.superoffice.com");
        let at = |path: &str| {
            Url::parse(&format!("{base}{path}")).expect("SuperOffice's own addresses are URLs")
        };
        Self {
            name: name.to_owned(),
            issuer: base.clone(),
            legacy_issuer: "SuperOffice AS".to_owned(),
            authorize_url: at("/login/common/oauth/authorize"),
            tenant_authorize_url: format!("{base}/login/{{ctx}}/oauth/authorize"),
            token_url: at("/login/common/oauth/tokens"),
            jwks_url: at("/login/.well-known/jwks"),
            logout_url: at("/login/logout"),
            legacy_login_url: at("/login/"),
            addresses: AllowedAddresses::SuperOffice,
        }
    }

    /// Where to send a browser to sign in, to the tenant asked for if any.
    pub fn authorize(&self, tenant: Option<&ContextId>) -> String {
        match tenant {
            Some(context) => self.tenant_authorize_url.replace("{ctx}", context.as_str()),
            None => self.authorize_url.as_str().to_owned(),
        }
    }

    /// The origin SuperID's pages are on: what a browser names in `Origin` of a posted form.
    pub fn login_origin(&self) -> String {
        self.legacy_login_url.origin().ascii_serialization()
    }
}
