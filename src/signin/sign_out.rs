//! The way out: the session ends here for every copy of its cookie, then where people signed in.

use http::HeaderValue;

use crate::config::RelyingParty;
use crate::session::{Chunked, NotKept, SessionState};
use crate::web::{Reply, SetCookie};
use crate::ws_federation;

use super::desk::{Counter, Desk};

impl Desk {
    /// Ends `session`, removes every cookie of ours, and sends the browser to the sign-out of SuperID,
    /// or of the provider where it has one.
    /// The way back is registered there as a post-logout URL.
    ///
    /// # Errors
    /// When the session could not be ended; then nothing is removed.
    pub async fn sign_out(
        &self,
        at: Counter<'_>,
        session: Option<&SessionState>,
        party: Option<&RelyingParty>,
    ) -> Result<Reply, NotKept> {
        if let Some(session) = session {
            self.end_here(at, session).await?;
        }
        let back = format!("{}{}", at.host.origin.as_str(), at.host.post_logout_path);
        let elsewhere = |party: &RelyingParty| match party.trust() {
            Some(trust) => {
                let realm = &party.client_id;
                Some(ws_federation::sign_out(&trust.federation, realm, &back).into())
            }
            None => self.providers.end_session(party, &back).map(String::from),
        };
        let location = match party.and_then(RelyingParty::environment) {
            Some(environment) => {
                // `superid.md` §1: the end-session endpoint is called with `redirect_uri`.
                let mut url = environment.logout_url.clone();
                url.query_pairs_mut()
                    .append_pair("scope", "openid")
                    .append_pair("redirect_uri", &back);
                url.into()
            }
            None => party.and_then(elsewhere).unwrap_or(back),
        };
        Ok(Reply::redirect(&location)
            .with_cookies(at.sessions.remove(at.cookies))
            .with_cookies(self.other_cookies(at)))
    }

    fn other_cookies(&self, at: Counter<'_>) -> Vec<HeaderValue> {
        let names = at.names;
        let mut removed =
            Chunked { name: &names.handoff, attributes: at.attributes() }.remove(at.cookies);
        let single = [&names.binding, &names.post, &names.targets[0], &names.targets[1]];
        removed.extend(single.into_iter().filter(|name| at.cookies.has(name)).map(|name| {
            SetCookie { name, value: "", max_age: Some(0), attributes: at.attributes() }.header()
        }));
        removed
    }
}
