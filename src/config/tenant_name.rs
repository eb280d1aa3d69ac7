//! Reads the name of a tenant.

use crate::identity::ContextId;

use super::reading::quoted;
use super::value::Value;

/// The name of a tenant.
pub(super) fn tenant(value: &Value) -> Option<ContextId> {
    let text = value.text()?;
    ContextId::parse(text).ok().or_else(|| refuse_tenant(value, text))
}

/// A name that is no tenant's.
pub(super) fn refuse_tenant<T>(value: &Value, text: &str) -> Option<T> {
    let wrong = format!("{} is not a tenant", quoted(text));
    value.refuse(wrong, "write Cust and its digits, such as \"Cust12345\"")
}
