//! A SuperID of our own for demos, tests and app developers; it imports nothing else of ours.
//!
//! It speaks what `superid.md` §1–§6 found SuperID to speak: discovery and keys, the authorization
//! code flow, refresh, revocation, sign-out, the old form post with a token in it, the exchange of
//! system users, tenants' states and a little of their web APIs. Beside that it has a cast of people
//! and tenants, a sign-in page without passwords, a journal of what was asked, and faults that can
//! be switched on. It has no idea who its caller is, so that it cannot share a mistake with the
//! gateway.
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
//! # System users
//!
//! `POST /Login/api/PartnerSystemUser/Authenticate`, and SOAP 1.1 at
//! `/login/services/PartnerSystemUserService.svc` (`?wsdl` has the contract), exchange a system
//! token that one of [`App::system_user_keys`] has signed. `GET /api/state/{ctx}` says where a
//! tenant lives: at SuperID's own host, or at one of [`Options::extra_hosts`] where there are any.
//! There are its web API at `/{ctx}/api/…` and its SOAP services at `/{ctx}/Remote/…`, which
//! refuse and remember credentials that belong elsewhere ([`Violations`]). [`Tenants`] turns all
//! that; [`Notice`] is what SuperOffice would tell an app of it.
//!
//! What no public source says and is ours: the wording of `ErrorMessage`; that a tenant nobody
//! knows has HTTP 200 and the state `Unknown`; which states have no address; that the web API is
//! there when `IsRunning` is true and answers 503 otherwise, 404 for a deleted tenant; `Succeeded`
//! false with HTTP 200 in SOAP; the claims of system users' tokens beside those of
//! `superid.md` §5, and all claims of notices' tokens.
//!
//! # Control
//!
//! At the first host alone. `PUT` replaces what is there; what is left out of a tenant stays.
//!
//! ```text
//! GET, POST    apps                     an App
//! PUT          consents                 {"client_id":…,"ctx":…,"consent":"given"|"restored"|"revoked"|
//!                                        "needs_reapproval"|"denied"}
//! GET          counts                   {"requests":{kind:n},"calls":n,"violations":n}
//! GET, POST    entra/realms             an EntraRealm
//! GET, DELETE  exchanges                {"exchanges":[Exchange]}
//! GET, PUT     faults                   {"faults":[Fault]}
//! GET, PUT     google                   GoogleSettings
//! GET, POST    google/clients           a GoogleClient
//! GET, DELETE  journal                  {"detail":…,"entries":[Entry]}
//! PUT          journal                  {"detail":"counts"|"entries"}
//! POST         keys/rotate              {"kid":…}
//! POST         notices                  {"ctx":…,"change":"Move","to":"http://…"}, sends one
//! GET          people                   the Seed
//! GET          tenants                  {"hosts":[…],"tenants":[…]}
//! PUT          tenants/{ctx}            {"state":…,"host":n,"valid_for_seconds":n,
//!                                        "denied":[…],"answer_next":{"status":n,"times":n}}
//! DELETE       tenants/{ctx}/tickets    {"killed":n}
//! GET, DELETE  violations               {"count":n,"latest":[Violation]}
//! ```

mod accounts;
mod answer;
mod answer_lie;
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
mod delivery;
mod der;
mod discovery;
mod ending;
mod endpoints;
mod entra;
mod exchanges;
mod faults;
mod finish;
mod google;
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
mod portal;
mod recorded;
mod refusal;
mod response;
mod saml;
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

pub use answer_lie::AnswerLie;
pub use app::DemoApp;
pub use apps::{
    App, AuthorizationLevel, Carriage, Consent, ErrorCallback, ErrorWords, LegacyToken, Pkce,
};
pub use claims::CLAIM_PREFIX;
pub use clock::Clock;
pub use ending::Ending;
pub use entra::{EntraRealm, EntraToken};
pub use exchanges::{Exchange, Exchanges};
pub use faults::{Fault, Faults, StateLie, SystemUserLie};
pub use google::{Algorithm, ClientAuth, GoogleClient, GoogleSettings, IssParameter};
pub use journal::{Detail, Entry, Journal, Kind};
pub use keys::Keys;
pub use mint::{Draft, Mint};
pub use notice::{Notice, TenantChange};
pub use portal::IssuedKey;
pub use recorded::Recorded;
pub use saml::{SamlDraft, SamlHash};
pub use seed::{Membership, Person, Rights, Seed, Tenant};
pub use server::{Emulator, Options};
pub use state::TenantState;
pub use tenants::{Tenants, Unheard};
pub use violations::{Offence, Violation, Violations};
