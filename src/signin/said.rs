//! Errors as answers: which code came, cleaned, and what it is to the person.

use serde::{Deserialize, Serialize};

use crate::superid::CleanText;
use crate::web::Fields;

use super::failure::{Failed, Failure};

/// An error that SuperID or another provider is said to have answered with. Nothing here is longer than it may be shown or
/// logged, and nothing needs escaping twice.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Said {
    /// Letters, digits and underscores, at most 64.
    code: String,
    /// SuperID's own code, where one was named.
    own: Option<Own>,
    /// The description, for the log alone.
    words: Option<String>,
}

/// AuthorizeErrorCode (`superid.md` §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Own {
    Denied,
    Expired,
    InvalidRedirectUrl,
    InvalidSignature,
    InvalidTimestamp,
    NeedsReapproval,
    Revoked,
}

impl Said {
    /// The error among the fields of an answer, beside whatever else there is: it wins.
    pub(super) fn in_answer(fields: &Fields) -> Option<Self> {
        fields.get("error").map(|error| Self::of(error, fields.get("error_description")))
    }

    /// The error that came to the error callback. What comes there is documented nowhere, so each
    /// field is looked at for a code of SuperID's; without any it is an error all the same.
    pub(super) fn in_error_callback(fields: &Fields) -> Self {
        if let Some(said) = Self::in_answer(fields) {
            return said;
        }
        let named = ["error_code", "errorcode", "error_message", "errormessage", "message"];
        let first = named.into_iter().find_map(|name| fields.get(name)).unwrap_or_default();
        let own = fields.values().find_map(Own::named_in);
        Self { own: Own::parse(first).or(own), ..Self::of(first, fields.get("error_description")) }
    }

    fn of(error: &str, description: Option<&str>) -> Self {
        let own = Own::parse(error)
            .or_else(|| [Some(error), description].into_iter().flatten().find_map(Own::named_in));
        let words = description.map(|text| CleanText::of(text, &[]).as_str().to_owned());
        Self { code: clean(error), own, words }
    }

    /// What it is to the person, in SuperID's terms, and its words for the operator, who learns whose
    /// answer it was: `whom` begins the sentence.
    pub(super) fn failed(&self, whom: &str) -> Failed {
        let own = self.own.map(|own| format!(" ({own:?})")).unwrap_or_default();
        let words = self.words.as_ref().map(|words| format!(": {words}")).unwrap_or_default();
        Failed::new(self.failure(), format!("{whom} answered {:?}{own}{words}", self.code))
    }

    /// RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6 and `superid.md` §2.
    fn failure(&self) -> Failure {
        match self.own {
            Some(Own::Denied) => return Failure::ConsentDeclined,
            Some(Own::Expired) => return Failure::SuperIdExpired,
            Some(Own::NeedsReapproval) => return Failure::ReapprovalNeeded,
            Some(Own::Revoked) => return Failure::ApprovalRevoked,
            Some(own) => return Failure::SuperIdRefused(format!("{own:?}")),
            None => {}
        }
        match self.code.as_str() {
            "access_denied" | "consent_required" => Failure::ConsentDeclined,
            "account_selection_required" | "interaction_required" | "login_required" => {
                Failure::InteractionNeeded
            }
            "server_error" | "temporarily_unavailable" => Failure::SuperIdUnreachable,
            // The registration is at fault: invalid_request, invalid_request_object,
            // invalid_request_uri, invalid_scope, registration_not_supported,
            // request_not_supported, request_uri_not_supported, unauthorized_client,
            // unsupported_response_type. Whatever else comes is said as it came.
            _ => Failure::SuperIdRefused(self.code.clone()),
        }
    }
}

impl Own {
    /// A name in any case, or a number.
    fn parse(text: &str) -> Option<Self> {
        let same = |(name, number, _): &&(&str, &str, Self)| {
            text == *number || text.eq_ignore_ascii_case(name)
        };
        OWN.iter().find(same).map(|row| row.2)
    }

    /// Named inside a text, such as "Authorization error: InvalidRedirectUrl (2)". Names that are
    /// plain English count with their number alone.
    fn named_in(text: &str) -> Option<Self> {
        let text = text.get(..LONGEST).unwrap_or(text);
        let is_there = |(name, number, _): &&(&str, &str, Self)| {
            let compound = name.chars().filter(char::is_ascii_uppercase).count() > 1;
            let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
            text.contains(&format!("{name} ({number})"))
                || (compound && words.any(|word| word == *name))
        };
        OWN.iter().find(is_there).map(|row| row.2)
    }
}

fn clean(code: &str) -> String {
    code.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
        .take(64)
        .collect()
}

/// Whose answer it was, where nothing of ours says it: whoever visits a callback can write one.
pub(super) const SOMEBODY: &str = "somebody";
/// 0 is NoError, which no error is.
const OWN: [(&str, &str, Own); 7] = [
    ("Revoked", "1", Own::Revoked),
    ("InvalidRedirectUrl", "2", Own::InvalidRedirectUrl),
    ("Expired", "3", Own::Expired),
    ("Denied", "4", Own::Denied),
    ("NeedsReapproval", "5", Own::NeedsReapproval),
    ("InvalidTimestamp", "6", Own::InvalidTimestamp),
    ("InvalidSignature", "7", Own::InvalidSignature),
];
/// Bytes of a text that are looked at.
const LONGEST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(query: &str) -> Failure {
        Said::in_answer(&Fields::parse(query.as_bytes()).unwrap()).unwrap().failure()
    }

    fn called_back(query: &str) -> Failure {
        Said::in_error_callback(&Fields::parse(query.as_bytes()).unwrap()).failure()
    }

    #[test]
    fn each_code_is_what_it_is_to_a_person() {
        let refused = |code: &str| Failure::SuperIdRefused(code.to_owned());
        for (query, expected) in [
            ("error=access_denied", Failure::ConsentDeclined),
            ("error=consent_required", Failure::ConsentDeclined),
            ("error=Denied", Failure::ConsentDeclined),
            ("error=4", Failure::ConsentDeclined),
            ("error=server_error", Failure::SuperIdUnreachable),
            ("error=temporarily_unavailable", Failure::SuperIdUnreachable),
            ("error=login_required", Failure::InteractionNeeded),
            ("error=interaction_required", Failure::InteractionNeeded),
            ("error=account_selection_required", Failure::InteractionNeeded),
            ("error=NeedsReapproval", Failure::ReapprovalNeeded),
            ("error=needsreapproval", Failure::ReapprovalNeeded),
            ("error=5", Failure::ReapprovalNeeded),
            ("error=access_denied&error_description=NeedsReapproval", Failure::ReapprovalNeeded),
            ("error=Authorization+error:+Revoked+(1)", Failure::ApprovalRevoked),
            ("error=3", Failure::SuperIdExpired),
            ("error=invalid_request&error_description=It+has+Expired", refused("invalid_request")),
            ("error=2", refused("InvalidRedirectUrl")),
            ("error=x&error_description=InvalidSignature", refused("InvalidSignature")),
            ("error=0", refused("0")),
            ("error=", refused("")),
            ("error=%3Cb%3Ex_1%0d%0a", refused("bx_1b").clone()),
        ] {
            let expected = if query.contains("%3Cb") { refused("bx_1") } else { expected };
            assert_eq!(failure(query), expected, "{query}");
        }
        for registration in [
            "invalid_request",
            "invalid_request_object",
            "invalid_request_uri",
            "invalid_scope",
            "registration_not_supported",
            "request_not_supported",
            "request_uri_not_supported",
            "unauthorized_client",
            "unsupported_response_type",
            "an_error_of_tomorrow",
        ] {
            assert_eq!(failure(&format!("error={registration}")), refused(registration));
        }
    }

    #[test]
    fn an_error_callback_is_an_error_whatever_it_says() {
        for (query, expected) in [
            ("error=access_denied&state=x", Failure::ConsentDeclined),
            ("errorcode=5", Failure::ReapprovalNeeded),
            ("whatever=Authorization+error:+NeedsReapproval+(5)", Failure::ReapprovalNeeded),
            ("", Failure::SuperIdRefused(String::new())),
            ("x=5&y=Denied", Failure::SuperIdRefused(String::new())),
            ("message=no", Failure::SuperIdRefused("no".to_owned())),
        ] {
            assert_eq!(called_back(query), expected, "{query}");
        }
    }

    #[test]
    fn what_is_logged_is_short_and_on_one_line() {
        let long = "a%20".repeat(4_000);
        let query =
            format!("error={}&error_description=x%0d%0aSet-Cookie:%20y+{long}", "e".repeat(900));
        let said = Said::in_answer(&Fields::parse(query.as_bytes()).unwrap()).unwrap();
        let detail = said.failed("SuperID").detail;
        assert!(detail.len() < 330 && !detail.contains(char::is_control), "{detail}");
    }
}
