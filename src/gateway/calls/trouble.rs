//! Why a call to a tenant is not made, for whoever called and for what they can do about it.

use http::StatusCode;

/// The reason, as programs compare it and as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallTrouble {
    /// Nobody proved to be a caller.
    CallerUnknown,
    /// A web page may be behind the call.
    CallFromPage,
    /// The caller may not call this path.
    PathNotAllowed,
    /// The caller may not call this tenant.
    TenantNotAllowed,
    /// The path is no call.
    NoSuchCall,
    /// The body is no SOAP envelope, and the credentials belong into one.
    NoEnvelope,
    /// WebSockets do not go through here.
    NoUpgrade,
    /// The sign-in gave nothing to call with.
    NoCredential,
    /// No administrator of the tenant has installed the app, as far as the vault knows.
    NotInstalled,
    /// The tenant took its consent back.
    ConsentRevoked,
    /// SuperID refuses our key, our secret or our clock.
    SystemUserRefused,
    /// There were too many exchanges lately.
    TooManyExchanges,
    /// The state API does not know the tenant.
    TenantUnknown,
    /// The tenant is closed for a while.
    TenantMaintenance,
    /// SuperOffice has closed the tenant.
    TenantSuspended,
    /// The tenant is gone.
    TenantDeleted,
    /// SuperID or its state API does not answer.
    SuperIdUnreachable,
    /// The vault cannot be read.
    VaultUnavailable,
    /// Too many calls to this tenant wait.
    TenantBusy,
    /// The tenant does not answer.
    TenantUnreachable,
}

impl CallTrouble {
    /// The status the caller gets.
    pub(in crate::gateway) fn status(self) -> StatusCode {
        match self {
            Self::CallerUnknown => StatusCode::UNAUTHORIZED,
            Self::CallFromPage
            | Self::PathNotAllowed
            | Self::TenantNotAllowed
            | Self::NoCredential
            | Self::NotInstalled
            | Self::ConsentRevoked => StatusCode::FORBIDDEN,
            Self::NoSuchCall | Self::TenantUnknown => StatusCode::NOT_FOUND,
            Self::NoEnvelope => StatusCode::BAD_REQUEST,
            Self::NoUpgrade => StatusCode::NOT_IMPLEMENTED,
            Self::TenantDeleted => StatusCode::GONE,
            Self::TenantBusy => StatusCode::TOO_MANY_REQUESTS,
            Self::SystemUserRefused | Self::TenantUnreachable => StatusCode::BAD_GATEWAY,
            Self::TooManyExchanges
            | Self::TenantMaintenance
            | Self::TenantSuspended
            | Self::SuperIdUnreachable
            | Self::VaultUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// What happened, and what to do next.
    pub(in crate::gateway) fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::CallerUnknown => (
                "Nothing proves who is calling.",
                "Send the caller's own name and password, its token or its certificate.",
            ),
            Self::CallFromPage => (
                "A caller trusted for where it is named another host, or looks like a web page.",
                "Call one of the listener's hosts, without Origin, Referer, Cookie and Sec-Fetch.",
            ),
            Self::PathNotAllowed => {
                ("This caller may not call this path.", "Add it to the caller's paths.")
            }
            Self::TenantNotAllowed => {
                ("This caller may not call this tenant.", "Add it to the caller's tenants.")
            }
            Self::NoSuchCall => (
                "This is not the path of a call.",
                "Call /Cust12345/api/… or /Cust12345/Remote/…, with the tenant's own name.",
            ),
            Self::NoEnvelope => (
                "The body is not a SOAP envelope in UTF-8 whose header ends within 64 KiB.",
                "Post an envelope, without compression and without a document type.",
            ),
            Self::NoUpgrade => ("Calls cannot become WebSockets.", "Send an ordinary request."),
            Self::NoCredential => (
                "The sign-in gave nothing to call the tenant with.",
                "Sign in by OpenID Connect, or let the route present the system user.",
            ),
            other => other.told_of_tenants(),
        }
    }

    fn told_of_tenants(self) -> (&'static str, &'static str) {
        match self {
            Self::NotInstalled => (
                "No system user token of this tenant is known.",
                "Let an administrator of the tenant install the app, by signing in through it.",
            ),
            Self::ConsentRevoked => (
                "The tenant has taken back its consent, or never gave it.",
                "Let an administrator of the tenant approve the app again, by signing in.",
            ),
            Self::SystemUserRefused => (
                "SuperID refused the gateway's own key, secret or clock.",
                "Tell whoever runs the gateway; its log says which of them it was.",
            ),
            Self::TooManyExchanges => (
                "Tickets of this tenant were bought too often within the hour.",
                "Try again after the time given.",
            ),
            Self::TenantUnknown => {
                ("SuperOffice knows no tenant of this name.", "Check its number.")
            }
            Self::TenantMaintenance => {
                ("The tenant is under maintenance.", "Try again after the time given.")
            }
            Self::TenantSuspended => {
                ("SuperOffice has suspended the tenant.", "Ask the customer, or try again later.")
            }
            Self::TenantDeleted => ("The tenant is gone.", "Take it out of the job."),
            Self::SuperIdUnreachable => {
                ("SuperID does not answer.", "Try again after the time given.")
            }
            Self::VaultUnavailable => (
                "The gateway cannot read its vault.",
                "Tell whoever runs the gateway; nothing was lost by this.",
            ),
            Self::TenantBusy => (
                "Too many calls to this tenant are waiting.",
                "Call less often, or try again after the time given.",
            ),
            _ => ("The tenant's web service does not answer.", "Try again in a minute."),
        }
    }
}
