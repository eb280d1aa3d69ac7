//! The exchange of a signed system token for a JWT (`superid.md` §5): what is asked and answered, and
//! the same in JSON.

use serde_json::json;

use crate::crypto::Secret;

use super::json::{Json, Object};

/// What is sent, whichever protocol carries it.
pub(super) struct Exchange<'a> {
    pub(super) signed: &'a str,
    /// The client secret: the prose says client id, every working sample sends the secret.
    pub(super) application: &'a str,
    pub(super) context: &'a str,
}

/// What SuperID's service says, whichever protocol carried it.
pub(super) enum Said {
    /// In its own words.
    Refused(String),
    /// A JWT nobody has looked at.
    Token(Secret),
}

impl Exchange<'_> {
    /// The request as JSON.
    pub(super) fn json(&self) -> String {
        json!({
            "SignedSystemToken": self.signed,
            "ApplicationToken": self.application,
            "ContextIdentifier": self.context,
            "ReturnTokenType": "JWT",
        })
        .to_string()
    }
}

impl Said {
    /// Reads an answer in JSON.
    pub(super) fn from_json(body: &[u8]) -> Option<Self> {
        let answer = Object::parse(body).ok()?;
        let text = |name: &str| answer.text(name).unwrap_or_default().to_owned();
        match answer.get("IsSuccessful")? {
            Json::Bool(true) => Some(Self::Token(Secret::new(text("Token")))),
            Json::Bool(false) => Some(Self::Refused(text("ErrorMessage"))),
            _ => None,
        }
    }
}
