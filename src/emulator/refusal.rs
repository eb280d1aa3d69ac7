//! The ends of a request without a sign-in: SuperID's page, or the app's own error address.

use super::answer::Answer;
use super::apps::{App, Carriage, ErrorCallback, ErrorWords};
use super::delivery;
use super::ending::Ending;
use super::grants::{Goal, Request, alphanumeric};
use super::pages;
use super::response::ResponseMode;

/// Ends a request without a sign-in: at the app's error address where it has one, else on a page
/// of SuperID's, and then the app hears nothing.
pub(super) fn end(id: &str, request: &Request, app: &App, upn: &str, ending: Ending) -> Answer {
    let answer = match (&app.error_callback, ending) {
        (_, Ending::Nothing) => pages::technical_error("nothing is sent back"),
        (Some(callback), _) => told(callback, request, ending),
        (None, Ending::NoAccess) => pages::no_access(id, upn, request),
        (None, _) => pages::not_authorized(&ending.words()),
    };
    let outcome = match ending {
        Ending::NoAccess => "no account there",
        ending => ending.name(),
    };
    answer.refused(outcome).for_client(&request.client_id)
}

/// To the app's error address. What SuperID sends there is not published: either the words of
/// RFC 6749, or some of SuperOffice's that no app can know beforehand.
fn told(callback: &ErrorCallback, request: &Request, ending: Ending) -> Answer {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: &str| fields.push((name.into(), value.into()));
    match callback.words {
        ErrorWords::Rfc => {
            if let Goal::Callback(goal) = &request.goal
                && let Some(state) = &goal.state
            {
                add("state", state);
            }
            add("error", "access_denied");
            add("error_description", &ending.words());
        }
        ErrorWords::Unknown => {
            let (name, number) = ending.error().unwrap_or(("NoAccess", 0));
            add("AuthorizeErrorCode", &number.to_string());
            add("AuthorizeErrorText", name);
            add("Message", &format!("<b>{}</b>", ending.words()));
            add("RequestId", &alphanumeric(12));
        }
    }
    let mode = match callback.method {
        Carriage::Get => ResponseMode::Query,
        Carriage::Post => ResponseMode::FormPost,
    };
    delivery::send(mode, &callback.url, &fields)
}
