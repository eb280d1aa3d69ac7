//! The signed-in person, as the verified claims describe them.

use serde::{Deserialize, Serialize};

use super::ContextId;

/// Who is calling. Made from verified claims at sign-in and carried by the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The `sub` claim: the SuperID user name.
    pub subject: String,
    /// The tenant they signed in to.
    pub context: ContextId,
    /// The tenant's serial number, digits.
    pub serial: Option<String>,
    /// The tenant's company name.
    pub company: Option<String>,
    /// `email`.
    pub email: Option<String>,
    /// `initials`.
    pub initials: Option<String>,
    /// `firstname`; only legacy tokens carry it (`superid.md` §3.2).
    pub first_name: Option<String>,
    /// `lastname`; only legacy tokens carry it.
    pub last_name: Option<String>,
    /// `associateid`, digits.
    pub associate_id: Option<String>,
    /// `is_administrator`.
    pub administrator: bool,
    /// The tenant's REST address, ending in `/`; only one that passed the environment's rule.
    pub web_api_url: Option<String>,
    /// The tenant's SOAP address, ending in `/`; only one that passed the environment's rule.
    pub soap_url: Option<String>,
    /// Claims that some route's access rule names, by full claim name.
    pub claims: Vec<(String, String)>,
}
