//! What must hold between listeners that answer checks, hosts and routes.

use std::sync::Arc;

use super::route_read::ReadRoute;
use super::section::Section;
use super::{Destination, Forwarded, Host, Listener, Present, Serves};

/// Checks listeners, hosts and routes together: what is checked has to be asked for somewhere, and
/// people sign in by another door.
pub(super) fn check(
    root: &Section,
    (listeners, hosts): (&[Listener], &[Arc<Host>]),
    forwarded: Option<&Forwarded>,
    routes: &[ReadRoute],
) {
    let (asked, pages): (Vec<_>, Vec<_>) =
        listeners.iter().partition(|one| matches!(one.serves, Serves::Checks(_)));
    if !asked.is_empty() && pages.is_empty() && !hosts.is_empty() {
        root.reading.problem(
            &root.place("listener"),
            "every listener answers checks alone: nobody could sign in",
            "add a listener without forward_auth, to which the proxy sends what is under /auth",
        );
    }
    warn_of_untrusted(root, &asked, forwarded);
    for read in routes {
        let (route, section) = (&read.route, &read.section);
        if route.upstream != Destination::Checked {
            continue;
        }
        if asked.is_empty() && !listeners.is_empty() {
            section.reading.problem(
                &section.place("upstream"),
                "\"checked\" is for what a proxy asks about, and no listener has forward_auth",
                "add [listener.NAME.forward_auth], or name the address the app listens on",
            );
        }
        if route.present == Present::SystemUser {
            section.reading.problem(
                &section.place("present"),
                "a system user's ticket goes to apps that are reached through this gateway alone",
                "leave it out, or name the address the app listens on as upstream",
            );
        }
    }
}

/// Who asks sends people's requests to the pages too, and counts as one client there if nobody says so.
fn warn_of_untrusted(root: &Section, asked: &[&Listener], forwarded: Option<&Forwarded>) {
    for listener in asked {
        let Serves::Checks(terms) = &listener.serves else { continue };
        if forwarded.is_some_and(|it| !it.trusted_proxies.cover(&terms.proxies)) {
            root.reading.warn(
                &root.place("forwarded"),
                format!("proxies of [listener.{}] are not among trusted_proxies", listener.name),
                "name them there too: else limits count all their people as one",
            );
        }
    }
}
