//! What a failed exchange or verification is to the person.

use crate::superid::{ClaimsRefused, SignInFailed};

use super::failure::{Failed, Failure};

/// Whose fault it was, in words for each.
pub(super) fn failed(error: &SignInFailed) -> Failed {
    let failure = match error {
        SignInFailed::Misconfigured { .. } => Failure::Misconfigured,
        SignInFailed::Outage { .. } => Failure::SuperIdUnreachable,
        SignInFailed::Refused { error } => Failure::SuperIdRefused(error.as_str().to_owned()),
        SignInFailed::Untrusted(ClaimsRefused::Expired | ClaimsRefused::NotYetValid) => {
            Failure::LoopClock
        }
        SignInFailed::Untrusted(ClaimsRefused::SerialUnknown) => Failure::TenantUnknown,
        SignInFailed::Untrusted(_) => Failure::Unverified,
    };
    Failed::new(failure, chain(error))
}

/// An error with its sources, which is how operators read it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
