//! Pages for those who install an app, where the configuration has them as ours: what an installation
//! came to, the way to the app's settings, taking the app out again, and help after an error.
//!
//! All but the last want a sign-in. Taking out wants one of the last five minutes, by an
//! administrator, and a button that only a page of ours has.

use std::sync::Arc;

use super::downstream::Downstream;
use http::{Method, header};

use crate::authn::Authenticated;
use crate::clock::Timestamp;
use crate::config::{AppPages, RelyingParty};
use crate::credentials::SystemUsers;
use crate::identity::TenantKey;
use crate::pages::{self, Company, Footing, Installation, NotAllowed, Trouble};
use crate::session::{Loaded, SessionState};
use crate::telemetry::{Event, Who};
use crate::web::{Cookies, Fields, Inbound, Refusal, Reply, ReturnTo};

use super::about::About;
use super::audited;
use super::exchange::Exchange;
use super::parties::party_of;
use super::respond::{self, Refused};
use super::site::{HostSite, Site};
use super::start::{asked_by_a_page, counted, sign_in};
use super::verdict::{AppPage, Step, Verdict};
use super::wire::{self, Form};

/// The verdict on a request for one of these pages; `None` for all others.
pub(super) fn answer(
    site: &Site,
    number: usize,
    inbound: &Inbound<'_>,
    now: Timestamp,
) -> Option<Verdict> {
    let host = &site.hosts[number];
    let pages = host.host.app_pages.as_ref()?;
    let path = inbound.path();
    let waits = |page| Verdict::Wait(Step::AppPage { host: number, page });
    let (gets, posts) = (inbound.method() == Method::GET, inbound.method() == Method::POST);
    let is = |page: &Option<String>| page.as_deref() == Some(path);
    let asked = Asked { site, host, pages, inbound, now };
    if pages.paths().any(|page| page == path) && asked.is_in_the_dark() && !is(&pages.error) {
        return Some(Verdict::Refuse(Refused::without_store()));
    }
    let verdict = match &pages.configure {
        _ if is(&pages.error) && (gets || posts) => waits(AppPage::Error),
        _ if is(&pages.install) && gets => asked.freshly(path, waits(AppPage::Install)),
        _ if is(&pages.uninstall) && gets => asked.freshly(path, waits(AppPage::Uninstall)),
        _ if is(&pages.uninstall) && posts => asked.for_sure(path, waits(AppPage::Forget)),
        Some((from, to)) if from == path && gets => asked.signed_in(to),
        _ if pages.paths().any(|page| page == path) => {
            Verdict::Refuse(Refused::refusal(Refusal::Method))
        }
        _ => return None,
    };
    Some(verdict)
}

/// Writes the page.
///
/// # Errors
/// What the person is told instead.
pub(super) async fn page(
    exchange: &Exchange,
    number: usize,
    page: AppPage,
    downstream: &mut Downstream<'_>,
) -> Result<Reply, Refused> {
    let site = &exchange.site;
    let host = &site.hosts[number];
    let gone = || Refused::new(Trouble::NotFound, "the page is gone");
    let pages = host.host.app_pages.as_ref().ok_or_else(gone)?;
    if page == AppPage::Error {
        let refused = Refused::new(Trouble::AppError, "SuperOffice sent somebody to the error URL");
        return Err(match &pages.install {
            Some(install) => refused.again(install.clone()),
            None => refused,
        });
    }
    let headers = &downstream.req_header().headers;
    let sessions = host.authenticator.sessions();
    let session = match sessions.ask(Cookies::of(headers), site.clock.now()).await {
        Loaded::Live(session) => session,
        Loaded::Unavailable => return Err(Refused::without_store()),
        Loaded::NotPresented | Loaded::Rejected(_) => {
            return Err(Refused::new(Trouble::AttemptExpired, "the session is over"));
        }
    };
    let desk = Desk { exchange, site, host, pages, session: &session };
    match page {
        AppPage::Forget => desk.forget(downstream).await,
        AppPage::Uninstall => desk.uninstall().await,
        AppPage::Install | AppPage::Error => Ok(desk.install().await),
    }
}

/// A request for one of the pages.
struct Asked<'a> {
    site: &'a Site,
    host: &'a HostSite,
    pages: &'a AppPages,
    inbound: &'a Inbound<'a>,
    now: Timestamp,
}

impl Asked<'_> {
    fn session(&self) -> Option<std::sync::Arc<SessionState>> {
        match self.host.authenticator.authenticate(self.inbound, self.now) {
            Authenticated::Proven(session) => {
                let own = &self.pages.relying_party.name;
                let is_own = |party: &RelyingParty| party.name == *own;
                Some(session).filter(|one| party_of(self.host, one).is_some_and(is_own))
            }
            Authenticated::Nobody | Authenticated::Rejected(_) | Authenticated::Unavailable => None,
        }
    }

    /// Whether nobody can tell who asks.
    fn is_in_the_dark(&self) -> bool {
        let proof = self.host.authenticator.authenticate(self.inbound, self.now);
        matches!(proof, Authenticated::Unavailable)
    }

    fn fresh_session(&self) -> bool {
        self.session().is_some_and(|session| self.now.since(session.signed_in) <= FRESH)
    }

    /// The page, after a sign-in just now.
    fn freshly(&self, path: &str, page: Verdict) -> Verdict {
        match self.fresh_session() {
            true => page,
            false => self.sign_in(path),
        }
    }

    /// The deed, if a page of ours asks for it.
    fn for_sure(&self, path: &str, deed: Verdict) -> Verdict {
        if !self.is_from_here() {
            let detail = "asked to uninstall by another site";
            return Verdict::Refuse(Refused::new(Trouble::PostOriginRefused, detail));
        }
        match self.fresh_session() {
            true => deed,
            false => {
                let late = Refused::new(Trouble::AttemptExpired, "the sign-in is too old for this");
                Verdict::Refuse(late.again(path.to_owned()))
            }
        }
    }

    /// Whether a page of this origin posts. Ours send no referrer, and then browsers say that the
    /// origin is `null` (Fetch §3.2.7), but `Sec-Fetch-Site` tells; older ones have the origin alone.
    fn is_from_here(&self) -> bool {
        let said = |name: &str| self.inbound.header(name).map(|value| value.as_bytes());
        let ours = self.host.host.origin.as_str().as_bytes();
        match (said("sec-fetch-site"), said(header::ORIGIN.as_str())) {
            (Some(site), None | Some(b"null")) => site == b"same-origin",
            (Some(site), Some(origin)) => site == b"same-origin" && origin == ours,
            (None, origin) => origin == Some(ours),
        }
    }

    /// On to a page of the app.
    fn signed_in(&self, to: &str) -> Verdict {
        match self.session() {
            Some(_) => Verdict::Answer(Reply::redirect(&format!("{}{to}", self.host.host.origin))),
            None => self.sign_in(to),
        }
    }

    fn sign_in(&self, to: &str) -> Verdict {
        let Self { site, host, inbound, .. } = *self;
        if !asked_by_a_page(inbound) {
            let detail = "sign-in asked for by something that is not a page";
            return Verdict::Refuse(Refused::new(Trouble::BadRequest, detail));
        }
        let target = ReturnTo::parse(to, &host.host.origin, &host.host.prefix);
        let target = target.unwrap_or_else(ReturnTo::root);
        let party: &RelyingParty = &self.pages.relying_party;
        counted(site, inbound, || sign_in(site, host, inbound, target, &[party], None))
    }
}

/// A person at one of the pages.
struct Desk<'a> {
    exchange: &'a Exchange,
    site: &'a Site,
    host: &'a HostSite,
    pages: &'a AppPages,
    session: &'a Arc<SessionState>,
}

impl Desk<'_> {
    async fn install(&self) -> Reply {
        let came = self.came().await;
        let again = match came {
            Installation::NotAdministrator => Some(format!("{}/sign_out", self.host.host.prefix)),
            Installation::NotStored => self.pages.install.as_deref().map(|path| {
                let target = ReturnTo::parse(path, &self.host.host.origin, &self.host.host.prefix);
                let target = target.unwrap_or_else(ReturnTo::root);
                self.host.start_address(&target, Some(&self.pages.relying_party))
            }),
            Installation::NothingToStore | Installation::Stored => None,
        };
        respond::page(pages::installed(came, self.company(), &self.footing(again.as_deref())))
    }

    async fn came(&self) -> Installation {
        let (Some(vault), true) =
            (self.site.users.vault(), self.pages.relying_party.system_user.is_some())
        else {
            return Installation::NothingToStore;
        };
        match vault.get(&self.key()).await {
            Ok(Some(_)) => Installation::Stored,
            Ok(None) | Err(_) if self.session.principal.administrator => Installation::NotStored,
            Ok(None) | Err(_) => Installation::NotAdministrator,
        }
    }

    async fn uninstall(&self) -> Result<Reply, Refused> {
        if let Some(refused) = self.no_administrator() {
            return Err(refused);
        }
        let path = self.pages.uninstall.as_deref().unwrap_or("/");
        Ok(respond::page(pages::uninstall(path, self.company(), &self.footing(None))))
    }

    async fn forget(&self, downstream: &mut Downstream<'_>) -> Result<Reply, Refused> {
        if let Some(refused) = self.no_administrator() {
            return Err(refused);
        }
        let principal = &self.session.principal;
        let time = self.site.settings.limits.form_timeout;
        let form = match wire::read_form(downstream, LARGEST, time).await {
            Form::Whole(form) => Fields::parse(&form).ok(),
            Form::Stopped | Form::TooLarge => None,
        };
        // Another tab may have signed in to another tenant since the page was shown.
        let meant = form.as_ref().and_then(|form| form.get("tenant"));
        if meant != Some(principal.context.as_str()) {
            return Err(Refused::new(Trouble::BadRequest, "the form is about another tenant"));
        }
        if let Some(vault) = self.site.users.vault() {
            let failed = |error| Refused::new(Trouble::Internal, format!("the vault: {error}"));
            let telling = SystemUsers::telling(&self.pages.relying_party);
            let by = &principal.subject;
            vault.uninstall(&self.key(), by, telling).await.map_err(failed)?;
        }
        self.site.users.tickets().forget(&self.key());
        let (party, principal) = (&self.pages.relying_party, &self.session.principal);
        audited::scene(downstream, self.exchange)
            .record(Event::TokenForgotten { who: Who::is(principal), relying_party: &party.name });
        tracing::info!(
            request_id = &*self.exchange.request_id,
            relying_party = %self.pages.relying_party.name,
            tenant = %principal.context,
            by = %principal.subject,
            "system user token: forgotten, the app was uninstalled"
        );
        Ok(respond::page(pages::uninstalled(self.company(), &self.footing(None))))
    }

    fn no_administrator(&self) -> Option<Refused> {
        if self.session.principal.administrator {
            return None;
        }
        let refused = Refused::new(
            Trouble::NotAllowed(NotAllowed::Administrator),
            "uninstalling wants an administrator",
        );
        let about = About::Person(self.session.clone(), "(gateway)".to_owned());
        Some(refused.again(format!("{}/sign_out", self.host.host.prefix)).about(about))
    }

    fn key(&self) -> TenantKey {
        SystemUsers::key(&self.pages.relying_party, &self.session.principal.context)
    }

    fn company(&self) -> Company<'_> {
        let principal = &self.session.principal;
        Company { name: principal.company.as_deref(), tenant: principal.context.as_str() }
    }

    fn footing<'b>(&'b self, again: Option<&'b str>) -> Footing<'b> {
        Footing { request_id: &self.exchange.request_id, again, home: "/" }
    }
}

/// Seconds after a sign-in in which somebody counts as having just signed in.
const FRESH: u64 = 300;
/// Bytes of the form behind the button.
const LARGEST: usize = 1024;
