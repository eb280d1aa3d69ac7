//! Untrue answers of the authorization endpoint: what a dishonest SuperID would send a browser with.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the callback says instead. As JSON `"wrong_state"`, or
/// `{"twice":{"field":"code"}}`, or `{"beside":{"name":"error","value":"access_denied"}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerLie {
    /// One more field, at the end.
    Beside { name: String, value: String },
    /// The field is left out.
    Missing { field: String },
    /// Nothing but `state` and this error.
    Error {
        error: String,
        #[serde(default)]
        description: Option<String>,
    },
    /// The id_token lacks this claim: `c_hash`, `at_hash`, `nonce` or any other.
    NoClaim { claim: String },
    /// The field comes two times.
    Twice { field: String },
    /// The id_token's claim has another value.
    WrongClaim { claim: String },
    /// `state`, or `wctx`, is not the request's.
    WrongState,
}

impl AnswerLie {
    /// Bends the callback's fields.
    pub(super) fn bend(&self, fields: &mut Vec<(String, String)>) {
        match self {
            Self::Beside { name, value } => fields.push((name.clone(), value.clone())),
            Self::Missing { field } => fields.retain(|(name, _)| name != field),
            Self::Error { error, description } => {
                fields.retain(|(name, _)| name == "state");
                fields.push(("error".into(), error.clone()));
                let description = description.clone();
                fields.extend(description.map(|text| ("error_description".into(), text)));
            }
            Self::Twice { field } => {
                let first = fields.iter().find(|(name, _)| name == field).cloned();
                fields.extend(first);
            }
            Self::WrongState => {
                let carries = |name: &str| matches!(name, "state" | "wctx");
                let state = fields.iter_mut().filter(|(name, _)| carries(name));
                state.for_each(|(_, value)| *value = "not-the-state-you-sent".into());
            }
            Self::NoClaim { .. } | Self::WrongClaim { .. } => {}
        }
    }

    /// Bends the attributes of an assertion: namespace, name and value of each.
    pub(super) fn bend_attributes(
        &self,
        attributes: &mut Vec<(&'static str, &'static str, String)>,
    ) {
        match self {
            Self::NoClaim { claim } => attributes.retain(|(_, name, _)| name != claim),
            Self::WrongClaim { claim } => {
                let bent = attributes.iter_mut().filter(|(_, name, _)| name == claim);
                bent.for_each(|(_, _, value)| "bm90LXdoYXQtaXQtd2Fz".clone_into(value));
            }
            _ => {}
        }
    }

    /// Bends the claims of an id_token that goes through the browser.
    pub(super) fn bend_claims(&self, claims: &mut Vec<(String, Value)>) {
        match self {
            Self::NoClaim { claim } => claims.retain(|(name, _)| name != claim),
            Self::WrongClaim { claim } => {
                let bent = claims.iter_mut().filter(|(name, _)| name == claim);
                bent.for_each(|(_, value)| *value = Value::from("bm90LXdoYXQtaXQtd2Fz"));
            }
            _ => {}
        }
    }
}
