//! What apps were told about people lately, so that the same headers are not made, nor the same
//! assertion signed, for each request.

use std::sync::{Arc, Mutex, PoisonError};

use crate::assertion::{Addressee, Signer};
use crate::authn::Permit;
use crate::clock::Timestamp;
use crate::config::Route;
use crate::credentials::{Injection, injected};
use crate::session::SessionState;
use crate::web::PublicOrigin;

/// Remembers the headers of a session on a route of a host. They follow from those alone, and none
/// of them changes while a site is in force, so this changes no answer; an assertion is made anew when half
/// of its life is over. A place knows the very session it
/// was filled for, by holding it: another one, be it equal or at the same address in memory, is
/// another.
pub(super) struct Told {
    places: Box<[Mutex<Option<Entry>>]>,
    signer: Option<Signer>,
}

/// What a request is told for: the route's settings, the host it came to, and when.
#[derive(Clone, Copy)]
pub(super) struct Addressed<'a> {
    pub(super) route: &'a Route,
    pub(super) origin: &'a PublicOrigin,
    pub(super) now: Timestamp,
}

struct Entry {
    session: Arc<SessionState>,
    /// The numbers of host and route.
    way: (usize, usize),
    injection: Arc<Injection>,
    /// From then on it is made anew.
    stale: Timestamp,
}

impl Told {
    pub(super) fn new(signer: Option<Signer>) -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::default()).collect(), signer }
    }

    /// Signs what apps are told, where there is something to sign with.
    pub(super) fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    /// The headers of a permitted request to the host and the route of these numbers.
    pub(super) fn injection(
        &self,
        permit: &Permit,
        way: (usize, usize),
        to: Addressed<'_>,
    ) -> Arc<Injection> {
        let Some(session) = permit.shared() else { return Arc::new(injected(permit, to.route)) };
        let address = Arc::as_ptr(session).addr();
        let mixed = address / size_of::<SessionState>() + way.1 * 31 + way.0 * 7;
        let place = &self.places[mixed % PLACES];
        let lock = || place.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = |entry: &&Entry| {
            Arc::ptr_eq(&entry.session, session) && entry.way == way && to.now < entry.stale
        };
        if let Some(entry) = lock().as_ref().filter(is_told) {
            return entry.injection.clone();
        }
        // Nobody waits while it is made, or signed, and what lay there is let go of.
        let (injection, stale) = self.made(permit, session, to);
        // One that is held for this request alone is not met again.
        if Arc::strong_count(session) > 1 {
            let session = session.clone();
            let entry = Entry { session, way, injection: injection.clone(), stale };
            let _gone = lock().replace(entry);
        }
        injection
    }

    /// The headers, and until when they are good.
    fn made(
        &self,
        permit: &Permit,
        session: &SessionState,
        to: Addressed<'_>,
    ) -> (Arc<Injection>, Timestamp) {
        let mut injection = injected(permit, to.route);
        let mut stale = Timestamp(u64::MAX);
        if let (Some(signer), Some(name)) = (&self.signer, &to.route.headers.assertion) {
            let addressee = Addressee { origin: to.origin, route: &to.route.name };
            match signer.assert(session, addressee, to.now) {
                Some(assertion) => {
                    stale = assertion.stale;
                    injection.push((name.clone(), assertion.value));
                }
                None => stale = to.now,
            }
        }
        (Arc::new(injection), stale)
    }
}

/// As many as opened sessions are remembered of a host.
const PLACES: usize = 1024;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::authn::Wanted;
    use crate::config::{Settings, load_text};

    const SETTINGS: &str = r#"
        [host.main]
        origin = "https://app.example"
        [relying_party.main]
        environment = "sod"
        client_id = "id"
        client_secret = { value = "secret" }
        [route.app]
        upstream = "http://127.0.0.1:3000"
        [route.quiet]
        path = "/quiet"
        upstream = "http://127.0.0.1:3000"
        headers = { email = false, user = false }
        [session]
        keys = [{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }]
    "#;

    fn settings() -> Settings {
        load_text(SETTINGS, "test", Path::new("."), &|_| None).unwrap().settings
    }

    fn to(route: &Route) -> Addressed<'_> {
        Addressed { route, origin: &route.hosts[0].origin, now: Timestamp(0) }
    }

    fn session(settings: &Settings, subject: &str) -> Arc<SessionState> {
        let bond = settings.relying_parties[0].bond;
        Arc::new(SessionState { bond, ..SessionState::of(subject, [1; 16], Timestamp(0)) })
    }

    fn permit(route: &Route, session: Arc<SessionState>) -> Permit {
        let wanted = Wanted { host: &route.hosts[0], route, tenant: None };
        Permit::ask(wanted, session, Timestamp(0)).unwrap()
    }

    #[test]
    fn each_session_and_route_has_its_own_headers_however_many_there_are() {
        let (settings, told) = (settings(), Told::new(None));
        let sessions: Vec<_> =
            (0..3000).map(|each| session(&settings, &format!("{each}@a"))).collect();
        for _twice in 0..2 {
            for session in &sessions {
                for (number, route) in settings.routes.iter().enumerate() {
                    let permit = permit(route, session.clone());
                    let expected = injected(&permit, route);
                    assert_eq!(*told.injection(&permit, (0, number), to(route)), expected);
                    assert_eq!(*told.injection(&permit, (0, number), to(route)), expected);
                }
            }
        }
    }

    #[test]
    fn what_is_told_of_one_route_is_not_told_of_another_that_falls_in_its_place() {
        let (settings, told) = (settings(), Told::new(None));
        let session = session(&settings, "a@b");
        let [first, second] = [&settings.routes[0], &settings.routes[1]];
        let (open, quiet) = (permit(first, session.clone()), permit(second, session));
        assert_ne!(injected(&open, first), injected(&quiet, second));
        // Numbers of host and route that lead to one place.
        for (way, same_place) in [((31, 0), (0, 7)), ((0, 0), (0, PLACES))] {
            assert_eq!(*told.injection(&open, way, to(first)), injected(&open, first));
            assert_eq!(*told.injection(&quiet, same_place, to(second)), injected(&quiet, second));
        }
    }

    #[test]
    fn a_session_that_only_its_request_holds_is_not_kept_by_what_was_told_of_it() {
        let (settings, told) = (settings(), Told::new(None));
        let permit = permit(&settings.routes[0], session(&settings, "a@b"));
        told.injection(&permit, (0, 0), to(&settings.routes[0]));
        assert_eq!(permit.shared().map(Arc::strong_count), Some(1));
    }

    #[test]
    fn a_session_that_takes_the_place_of_a_dropped_one_is_not_taken_for_it() {
        let (settings, told) = (settings(), Told::new(None));
        for each in 0..5000 {
            let name = format!("{each}@a");
            let session = session(&settings, &name);
            let permit = permit(&settings.routes[0], session.clone());
            let injection = told.injection(&permit, (0, 0), to(&settings.routes[0]));
            assert!(injection.iter().any(|(_, value)| value == name.as_str()), "{name}");
            assert_eq!(Arc::strong_count(&session), 3, "it is remembered");
        }
    }
}
