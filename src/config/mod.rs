//! The TOML file: read, checked as a whole, and turned into types that need no more checking.

mod acme;
mod acme_rules;
mod admin;
mod app_pages;
mod assertion;
mod audit;
mod authority;
mod certificate;
mod changes;
mod client_authentication;
mod crowd;
mod destination;
mod effective;
mod environment;
mod federation;
mod forward_auth;
mod forward_auth_rules;
mod forwarded;
mod given;
mod header_names;
mod host;
mod issuer;
mod job_caller;
mod job_listener;
mod job_listener_read;
mod key;
mod key_ring;
mod legacy;
mod legacy_read;
mod limits;
mod listener;
mod load;
mod local_user;
mod log;
mod mapping;
mod merge;
mod nearest;
mod overlay;
mod people;
mod problem;
mod provider;
mod provider_rules;
mod reading;
mod redis;
mod redis_place;
mod redis_url;
mod registration;
mod relying_party;
mod relying_party_read;
mod replicas;
mod response;
mod route;
mod route_bounds;
mod route_bounds_read;
mod route_read;
mod route_rules;
mod secret_source;
mod section;
mod session;
mod settings;
mod signing_keys;
mod sources;
mod system_user;
mod tenant_name;
mod traces;
mod unix_socket;
mod upstream;
mod upstream_read;
mod url_path;
mod value;
mod vault;
mod webhook;
mod webhook_rules;

pub use acme::{AcmeAccount, AcmeChallenge, ExternalAccount, Ordered};
pub use admin::{Admin, AdminPlace, AdminToken};
pub use app_pages::AppPages;
pub use assertion::Assertion;
pub use audit::Audit;
pub use authority::{Authority, Membership, Trust};
pub use certificate::{Tls, TlsFiles, TlsPolicy};
pub use changes::changed_tables;
pub use client_authentication::{AssertionSigner, ClientAuthentication};
pub use crowd::Crowd;
pub use destination::LineDestination;
pub use environment::{AllowedAddresses, Environment, EnvironmentName};
pub use federation::{Emails, Federation, SubjectClaim};
pub use forward_auth::{ForwardAuth, SignInAnswer};
pub use forwarded::Forwarded;
pub use given::{Given, PREFIX};
pub use host::Host;
pub use issuer::is_directory;
pub use job_caller::{JobCaller, LocalUsers, Proof, Tenants};
pub use job_listener::{JobBounds, JobListener, SoapCredentials};
pub use key::{Key, KeyKind, Table};
pub use legacy::{
    Legacy, LegacyMethod, LegacySaml, LegacyToken, NullOrigin, RedirectParameter, SamlRecipient,
    Sha1,
};
pub use limits::Limits;
pub use listener::{Listener, Serves};
pub use load::{
    Holds, KeyFile, Loaded, key_files, key_rotation, load, load_admin, load_audit, load_given,
    load_listening, load_text, load_vault, show, tables,
};
pub use log::{AccessField, LineForm, Log, LogFormat, LogLevel};
pub use mapping::{MappedPerson, Mapping};
pub use people::People;
pub use problem::{Position, Problem, Problems};
pub use provider::{Asking, Pins, Provider, PushedRequests, SigningAlgorithm, UserInfo};
pub use redis::{Redis, RedisTls};
pub use redis_place::{RedisAddress, RedisNode, SentinelUser};
pub use registration::{Registration, registrations};
pub use relying_party::{Authorization, Bond, Flow, Pkce, RefreshTokens, RelyingParty};
pub use response::{Parts, Response, ResponseMode};
pub use route::{
    Access, ClaimRule, Destination, EncodedSlashes, HeaderNames, HostHeader, PathMatch,
    PathPattern, Patience, Present, Restriction, Route, ServerHeaders, Upstream,
};
pub use route_bounds::{Rate, RouteBounds};
pub use session::{Rotation, SameSite, Session, SessionStore};
pub use settings::Settings;
pub use system_user::{SystemUser, SystemUserProtocol};
pub use traces::{TraceProtocol, Traces};
pub use unix_socket::{ListenAddress, UnixSocket};
pub use upstream::{
    Balance, Ejection, HashBy, HealthCheck, Server, ServerPlace, Servers, UpstreamProtocol,
    UpstreamScheme, UpstreamTls,
};
pub(crate) use url_path::is_this_machine;
pub use vault::{Vault, VaultPlace};
pub use webhook::Webhook;
