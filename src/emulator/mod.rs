//! A SuperID of our own for demos, tests and app developers; it imports nothing else of ours.
//!
//! It speaks what `superid.md` §1–§4 found SuperID to speak: discovery and keys, the authorization
//! code flow, refresh, revocation, sign-out, and the old form post with a token in it. Beside that
//! it has a cast of people and tenants, a sign-in page without passwords, a journal of what was
//! asked, and faults that can be switched on. It has no idea who its caller is, so that it cannot
//! share a mistake with the gateway.
//!
//! # With curl
//!
//! The sign-in page is a plain form: field `request` names the remembered authorization request,
//! `person` is the user name, `tenant` is needed only for people of several tenants.
//!
//! ```text
//! page=$(curl -s -b jar -c jar "$URL/login/common/oauth/authorize?client_id=…&redirect_uri=…\
//!        &response_type=code&scope=openid&state=…")
//! request=$(printf %s "$page" | sed -n 's/.*name="request" value="\([^"]*\)".*/\1/p' | head -n 1)
//! curl -s -b jar -c jar -o /dev/null -w '%{redirect_url}' "$URL/login/sign-in" \
//!      -d request="$request" -d person=astrid.berg@nordlys.example -d tenant=Cust12345
//! ```
//!
//! The last line prints the callback, `…?state=…&code=…`. The jar now holds SuperID's session, so
//! the next authorization request redirects at once. A consent page is answered the same way at
//! `/login/consent` with the fields `request` and `decision` (`accept` or `refuse`).
//!
//! # Control
//!
//! `GET` and `DELETE /emulator/journal`, `GET` and `PUT /emulator/faults`, `GET /emulator/people`,
//! `POST /emulator/apps`, `POST /emulator/keys/rotate`: see [`Faults`] and [`App`] for the JSON.

mod answer;
mod app;
mod app_page;
mod apps;
mod call;
mod claims;
mod clock;
mod consent;
mod consents;
mod control;
mod credentials;
mod discovery;
mod endpoints;
mod exchanges;
mod faults;
mod finish;
mod grants;
mod journal;
mod keys;
mod legacy;
mod legacy_form;
mod listener;
mod logout;
mod mint;
mod notice;
mod pages;
mod partner_keys;
mod pkce;
mod recorded;
mod seed;
mod server;
mod shelf;
mod sign_in;
mod soap;
mod state;
mod superid;
mod system_user;
mod system_user_rest;
mod system_user_soap;
mod tenancy;
mod tenant_api;
mod tenant_control;
mod tenant_rest;
mod tenant_soap;
mod tenant_state;
mod tenants;
mod tokens;
mod violations;
mod visit;
mod world;
mod xml;

pub use app::DemoApp;
pub use apps::{App, Consent, Pkce};
pub use claims::CLAIM_PREFIX;
pub use clock::Clock;
pub use exchanges::{Exchange, Exchanges};
pub use faults::{Fault, Faults, StateLie, SystemUserLie};
pub use journal::{Detail, Entry, Journal, Kind};
pub use keys::Keys;
pub use mint::{Draft, Mint};
pub use notice::{Notice, TenantChange};
pub use recorded::Recorded;
pub use seed::{Membership, Person, Rights, Seed, Tenant};
pub use server::{Emulator, Options};
pub use state::TenantState;
pub use tenants::{Tenants, Unheard};
pub use violations::{Offence, Violation, Violations};
