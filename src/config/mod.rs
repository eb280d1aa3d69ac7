//! The TOML file: read, checked as a whole, and turned into types that need no more checking.

mod admin;
mod environment;
mod forwarded;
mod host;
mod limits;
mod listener;
mod log;
mod relying_party;
mod route;
mod session;
mod settings;

pub use admin::Admin;
pub use environment::{AllowedAddresses, Environment, EnvironmentName};
pub use forwarded::Forwarded;
pub use host::Host;
pub use limits::Limits;
pub use listener::{Listener, TlsFiles};
pub use log::{Log, LogLevel};
pub use relying_party::{Flow, Legacy, NullOrigin, Pkce, RedirectParameter, RelyingParty};
pub use route::{
    Access, ClaimRule, HeaderNames, HostHeader, PathMatch, PathPattern, Present, Restriction,
    Route, Upstream, UpstreamScheme,
};
pub use session::{SameSite, Session};
pub use settings::Settings;
