//! Why SuperID gave no ticket, by whose fault it is, with nothing secret in it.

use std::fmt;
use std::sync::Arc;

use crate::crypto::SigningFailed;

use super::failure::{ClaimsRefused, Outage};

/// Why a tenant's system user got no ticket. `Display` is for operators.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TicketRefused {
    /// SuperID does not take our signature: another key, or one it does not know yet.
    #[error("SuperID does not know the key the system user token was signed with")]
    BadSignature,
    /// SuperID does not take the minute in the signed token.
    #[error("SuperID finds the time in the signed token wrong: check the clock of this machine")]
    BadTime,
    /// Ours: this relying party has no system user, or its environment no address for one.
    #[error("no system user is configured for this relying party")]
    NotConfigured,
    /// SuperID's, or the way to it: trying again later may help.
    #[error("SuperID could not be asked for a ticket, or its answer could not be used")]
    Outage(#[source] Arc<Outage>),
    /// SuperID's, in its own words.
    #[error("SuperID refused a ticket: {0}")]
    Refused(CleanText),
    /// The tenant's administrator has withdrawn the consent, or has to give it anew.
    #[error("the tenant's administrator has to consent to the app anew")]
    Revoked,
    /// This machine could not sign.
    #[error("the system user token could not be signed")]
    Signing(#[from] SigningFailed),
    /// SuperID does not know the tenant.
    #[error("SuperID does not know the tenant")]
    UnknownTenant,
    /// The answer's: what came back is not believed.
    #[error("the token SuperID's answer brought is not believed")]
    Untrusted(#[from] ClaimsRefused),
}

impl From<Outage> for TicketRefused {
    fn from(outage: Outage) -> Self {
        Self::Outage(Arc::new(outage))
    }
}

impl TicketRefused {
    /// What SuperID's words mean. Its error codes have names (`superid.md` §2), and words are all this
    /// service answers with; no sample of them is published. What is not recognised stays in its own
    /// words, and nothing but the words of a refusal hangs on it.
    ///
    /// ```text
    /// InvalidSignature              BadSignature
    /// InvalidTimestamp              BadTime
    /// Revoked, NeedsReapproval      Revoked
    /// unknown … context identifier  UnknownTenant
    /// anything else                 Refused
    /// ```
    pub(super) fn of(words: &str, secrets: &[&str]) -> Self {
        let mut names = words.split(|letter: char| !letter.is_ascii_alphanumeric());
        let code = names.find_map(|name| match name {
            "InvalidSignature" => Some(Self::BadSignature),
            "InvalidTimestamp" => Some(Self::BadTime),
            "Revoked" | "NeedsReapproval" => Some(Self::Revoked),
            _ => None,
        });
        let lower = words.to_ascii_lowercase();
        let unknown = lower.contains("unknown") || lower.contains("not found");
        let tenant = lower.contains("context identifier") || lower.contains("contextidentifier");
        code.unwrap_or_else(|| match unknown && tenant {
            true => Self::UnknownTenant,
            false => Self::Refused(CleanText::of(words, secrets)),
        })
    }
}

/// Words from outside that can be logged: at most 200 visible ASCII characters and single spaces,
/// without any of our secrets and without anything long enough to be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CleanText(String);

impl CleanText {
    /// Cleans words from outside.
    pub fn of(text: &str, secrets: &[&str]) -> Self {
        if secrets.iter().any(|secret| text.contains(secret)) {
            return Self("(withheld: it repeats a secret)".to_owned());
        }
        let mut clean = String::new();
        for word in text.split(|letter: char| !letter.is_ascii_graphic()).filter(|w| !w.is_empty())
        {
            let word = if word.len() > LONGEST_WORD { "(...)" } else { word };
            if clean.len() + 1 + word.len() > LONGEST {
                break;
            }
            if !clean.is_empty() {
                clean.push(' ');
            }
            clean.push_str(word);
        }
        if clean.is_empty() { Self("(no reason given)".to_owned()) } else { Self(clean) }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CleanText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Longer ones are tokens, tickets and stack traces.
const LONGEST_WORD: usize = 32;
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> String {
        format!("{:?}", TicketRefused::of(words, &["s3cret"]))
    }

    #[test]
    fn superids_codes_are_recognised_by_their_names() {
        for (words, expected) in [
            ("Authorization error: InvalidSignature (7)", "BadSignature"),
            ("InvalidTimestamp", "BadTime"),
            ("Authorization error: Revoked (1)", "Revoked"),
            ("Authorization error: NeedsReapproval (5)", "Revoked"),
            ("Unknown context identifier", "UnknownTenant"),
            ("ContextIdentifier 'Cust1' was not found", "UnknownTenant"),
            (
                "Authorization error: Denied (4)",
                r#"Refused(CleanText("Authorization error: Denied (4)"))"#,
            ),
            ("InvalidSignatures", r#"Refused(CleanText("InvalidSignatures"))"#),
            ("", r#"Refused(CleanText("(no reason given)"))"#),
        ] {
            assert_eq!(of(words), expected, "{words}");
        }
    }

    #[test]
    fn what_is_kept_of_other_words_is_short_plain_and_holds_no_secret() {
        assert!(of("the token s3cret is wrong").contains("withheld"));
        let long = format!("bad {} <b>\r\n\u{202e}x\u{0}", "A".repeat(33));
        assert!(of(&long).contains("bad (...) <b> x"), "{}", of(&long));
        assert!(CleanText::of(&"word ".repeat(1_000), &[]).as_str().len() <= LONGEST);
    }
}
