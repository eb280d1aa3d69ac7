//! The context identifier: the name of a tenant, such as `Cust12345`.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// A tenant's name. SuperOffice writes `Cust` in either case (`superid.md` §1), so it is kept in
/// one spelling and two that name the same tenant are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContextId(String);

impl ContextId {
    /// Reads `Cust` and one to eighteen digits, in any case.
    ///
    /// # Errors
    /// [`InvalidContextId`] for anything else, so that what passes is safe in a URL path.
    pub fn parse(text: &str) -> Result<Self, InvalidContextId> {
        match text.split_at_checked(4) {
            Some((prefix, digits))
                if prefix.eq_ignore_ascii_case("cust")
                    && (1..=18).contains(&digits.len())
                    && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                Ok(Self(["Cust", digits].concat()))
            }
            _ => Err(InvalidContextId),
        }
    }

    /// The name, spelled `Cust12345`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits as a number, of which tenants fill any range evenly: `Cust007` has the same as
    /// `Cust7`, and is another tenant.
    pub fn number(&self) -> u64 {
        let digits = self.0.bytes().skip("Cust".len());
        digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    }
}

/// A number costs less to hash than a text, and every call looks its tenant up several times.
impl Hash for ContextId {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.number());
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl TryFrom<String> for ContextId {
    type Error = InvalidContextId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ContextId> for String {
    fn from(context: ContextId) -> Self {
        context.0
    }
}

/// Not a context identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a context identifier is Cust followed by digits, such as Cust12345")]
pub struct InvalidContextId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_tenant_are_equal() {
        assert_eq!(ContextId::parse("cust12345"), ContextId::parse("CUST12345"));
        assert_eq!(ContextId::parse("cust12345").unwrap().as_str(), "Cust12345");
    }

    #[test]
    fn anything_that_could_change_a_path_is_refused() {
        for text in ["", "Cust", "Cust1/..", "<uctx>", "Cust１", "Cust1 ", "Customer", "Cüst1"] {
            assert!(ContextId::parse(text).is_err(), "{text}");
        }
    }
}
