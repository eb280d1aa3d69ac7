//! `[host.NAME]`: a public origin people reach us under, and who may sign in there.

use std::sync::Arc;

use crate::web::PublicOrigin;

use super::RelyingParty;

/// One public host.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: String,
    pub origin: PublicOrigin,
    /// Where our own pages live under it: `/auth` by default; no slash at its end.
    pub prefix: String,
    /// Who can sign people in here, in the order the chooser shows them; at least one, unless
    /// every route of the host is public.
    pub relying_parties: Vec<Arc<RelyingParty>>,
    /// Where SuperID sends people back after sign-out: our signed-out page by default, or a path.
    pub post_logout_path: String,
    /// Whether `/oauth2/start`, `/oauth2/sign_in` and `/oauth2/sign_out` answer too.
    pub oauth2_proxy_paths: bool,
}
