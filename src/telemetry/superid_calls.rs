//! Calls to SuperID: by endpoint, how they went and how long they took.

use std::time::Duration;

use super::catalogue::{SUPERID_CALL_DURATION, SUPERID_CALLS};
use super::registry::Registry;
use super::series::{Counter, Histogram};

/// Counters of every endpoint.
#[derive(Clone, Debug)]
pub struct SuperIdCalls([(Histogram, [Counter; 8]); 12]);

/// What SuperID is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Its signing keys.
    Keys,
    /// Another provider's discovery document.
    ProviderDiscovery,
    /// Another provider's signing keys.
    ProviderKeys,
    /// Requests pushed to another provider (RFC 9126).
    ProviderPushed,
    /// Refresh tokens that another provider is to take back.
    ProviderRevocation,
    /// Tokens for a code, from another provider.
    ProviderToken,
    /// What another provider says of a person besides.
    ProviderUserinfo,
    /// Refresh tokens that are to be taken back.
    Revocation,
    /// A ticket of a system user, by JSON.
    SystemUser,
    /// The same by SOAP.
    SystemUserSoap,
    /// How a tenant is.
    TenantState,
    /// Tokens for a code.
    Token,
}

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// An answer with this status, whole.
    Answered(u16),
    /// It was cut off.
    Interrupted,
    TimedOut,
    Unreachable,
    /// What came is of no use, or the call could not be sent.
    Unusable,
}

impl SuperIdCalls {
    /// Their names, in the order of [`Endpoint`].
    pub const ENDPOINTS: [&str; 12] = [
        "keys",
        "provider_discovery",
        "provider_keys",
        "provider_pushed",
        "provider_revocation",
        "provider_token",
        "provider_userinfo",
        "revocation",
        "system_user",
        "system_user_soap",
        "tenant_state",
        "token",
    ];

    pub fn of(registry: &Registry) -> Self {
        Self(Self::ENDPOINTS.map(|endpoint| {
            let times = registry.histogram(&SUPERID_CALL_DURATION, &[endpoint]);
            (times, CALLED.map(|how| registry.counter(&SUPERID_CALLS, &[endpoint, how])))
        }))
    }

    /// A call ended.
    pub fn called(&self, endpoint: Endpoint, how: Called, after: Duration) {
        let (times, counters) = &self.0[endpoint as usize];
        let number = match how {
            Called::Answered(status) => usize::from(status / 100).clamp(2, 5) - 2,
            Called::Interrupted => 4,
            Called::TimedOut => 5,
            Called::Unreachable => 6,
            Called::Unusable => 7,
        };
        counters[number].inc();
        times.observe(after.as_micros() as u64);
    }
}

impl Default for SuperIdCalls {
    /// Counters that nobody reads.
    fn default() -> Self {
        Self::of(&Registry::default())
    }
}

const CALLED: [&str; 8] =
    ["2xx", "3xx", "4xx", "5xx", "interrupted", "timed_out", "unreachable", "unusable"];
