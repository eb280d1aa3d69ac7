//! What of a request goes to the audit log, and in which words.

use super::downstream::Downstream;
use http::header;

use crate::telemetry::{Event, Scene, Who};
use crate::web::Client;

use super::about::About;
use super::calls::CallTrouble;
use super::entrance::job_door;
use super::exchange::Exchange;
use super::respond::{During, Reason, Refused};

/// Where and when a request happens, as far as it is known.
pub(super) fn scene<'a>(downstream: &'a Downstream<'_>, exchange: &'a Exchange) -> Scene<'a> {
    let site = &exchange.site;
    let request = downstream.req_header();
    let described = exchange.described.as_ref().and_then(|described| described.host());
    let own = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let asked =
        described.or(own).or_else(|| request.uri.authority().map(|authority| authority.as_str()));
    let number = asked.and_then(|asked| site.table.host(&asked.to_ascii_lowercase()));
    Scene {
        log: &site.audit,
        request_id: &exchange.request_id,
        client: exchange.client.as_ref().map(Client::address),
        server: downstream.server_addr(),
        host: number.map(|number| site.hosts[number].host.origin.authority()),
    }
}

/// Records a refusal that says something about somebody: a sign-in that failed, a person or a caller
/// that may not, a notice that is not believed. Others are in the access log alone.
pub(super) fn refusal(downstream: &Downstream<'_>, exchange: &Exchange, refused: &Refused) {
    let word = refused.word();
    let (reason, detail) = (word.as_str(), refused.detail.as_str());
    let door = job_door(downstream);
    let event = match (refused.during, refused.about.as_deref(), &refused.reason) {
        (During::SignIn, ..) => Event::SignInRefused { reason, detail },
        (During::Notice, ..) => Event::NoticeRefused { reason, detail },
        (During::Request, Some(About::Person(session, route)), _) => {
            Event::AccessRefused { who: Who::is(&session.principal), route, reason }
        }
        (During::Request, about, Reason::Call(trouble, _)) if is_about_a_caller(*trouble) => {
            let Some(door) = &door else { return };
            let caller = match about {
                Some(About::Caller(caller)) => Some(caller.name.as_str()),
                _ => None,
            };
            Event::CallRefused { listener: door.listener(), caller, reason }
        }
        (During::Request, ..) => return,
    };
    scene(downstream, exchange).record(event);
}

fn is_about_a_caller(trouble: CallTrouble) -> bool {
    matches!(
        trouble,
        CallTrouble::CallFromPage
            | CallTrouble::CallerUnknown
            | CallTrouble::PathNotAllowed
            | CallTrouble::TenantNotAllowed
    )
}
