//! What apps were told about people lately, so that the same headers are not made for each request.

use std::sync::{Arc, Mutex, PoisonError};

use crate::authn::Permit;
use crate::config::Route;
use crate::credentials::{Injection, injected};
use crate::session::SessionState;

/// Remembers the headers of a session on a route. They follow from the two alone, and neither
/// changes while a site is in force, so this changes no answer. A place knows the very session it
/// was filled for, by holding it: another one, be it equal or at the same address in memory, is
/// another.
pub(super) struct Told {
    places: Box<[Mutex<Option<Entry>>]>,
}

struct Entry {
    session: Arc<SessionState>,
    route: usize,
    injection: Arc<Injection>,
}

impl Told {
    pub(super) fn new() -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::default()).collect() }
    }

    /// The headers of a permitted request to the route numbered `number`.
    pub(super) fn injection(
        &self,
        permit: &Permit,
        number: usize,
        route: &Route,
    ) -> Arc<Injection> {
        let Some(session) = permit.shared() else { return Arc::new(injected(permit, route)) };
        let address = Arc::as_ptr(session).addr();
        let place = &self.places[(address / size_of::<SessionState>() + number * 31) % PLACES];
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        match place.as_ref() {
            Some(entry) if Arc::ptr_eq(&entry.session, session) && entry.route == number => {
                entry.injection.clone()
            }
            Some(_) | None => {
                let injection = Arc::new(injected(permit, route));
                let entry =
                    Entry { session: session.clone(), route: number, injection: injection.clone() };
                *place = Some(entry);
                injection
            }
        }
    }
}

/// As many as opened sessions are remembered of a host.
const PLACES: usize = 1024;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clock::Timestamp;
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

    fn session(subject: &str) -> Arc<SessionState> {
        Arc::new(SessionState::of(subject, [1; 16], Timestamp(0)))
    }

    #[test]
    fn each_session_and_route_has_its_own_headers_however_many_there_are() {
        let (settings, told) = (settings(), Told::new());
        let sessions: Vec<_> = (0..3000).map(|each| session(&format!("{each}@a"))).collect();
        for _twice in 0..2 {
            for session in &sessions {
                for (number, route) in settings.routes.iter().enumerate() {
                    let permit = Permit::ask(route, session.clone(), Timestamp(0)).unwrap();
                    let expected = injected(&permit, route);
                    assert_eq!(*told.injection(&permit, number, route), expected);
                    assert_eq!(*told.injection(&permit, number, route), expected);
                }
            }
        }
    }

    #[test]
    fn a_session_that_takes_the_place_of_a_dropped_one_is_not_taken_for_it() {
        let (settings, told) = (settings(), Told::new());
        for each in 0..5000 {
            let name = format!("{each}@a");
            let permit = Permit::ask(&settings.routes[0], session(&name), Timestamp(0)).unwrap();
            let injection = told.injection(&permit, 0, &settings.routes[0]);
            assert!(injection.iter().any(|(_, value)| value == name.as_str()), "{name}");
        }
    }
}
