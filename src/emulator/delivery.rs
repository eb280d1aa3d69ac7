//! The way back to the app: a callback's parameters by query, fragment or form.

use super::answer::Answer;
use super::faults::Faults;
use super::grants::Callback;
use super::pages;
use super::response::{ResponseMode, lower_case_encoded};

/// Sends `fields` to the app, `state` first as SuperID does (`superid.md` §2), and with whatever
/// lies are in force.
pub(super) fn deliver(faults: &Faults, callback: &Callback, fields: &[(&str, &str)]) -> Answer {
    let state = callback.state.as_deref().map(|state| ("state", state));
    let all = state.into_iter().chain(fields.iter().copied());
    let mut all: Vec<_> = all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    faults.answer_lies().iter().for_each(|lie| lie.bend(&mut all));
    send(callback.mode, &callback.redirect_uri, &all)
}

/// Sends fields to an address, whatever they are.
pub(super) fn send(mode: ResponseMode, address: &str, fields: &[(String, String)]) -> Answer {
    let location = match mode {
        ResponseMode::FormPost => return pages::form_post(address, fields),
        ResponseMode::Fragment => format!("{address}#{}", lower_case_encoded(fields)),
        ResponseMode::Query => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let query = query.extend_pairs(fields).finish();
            let joint = if address.contains('?') { '&' } else { '?' };
            format!("{address}{joint}{query}")
        }
    };
    let redirected = Answer::redirect(&location);
    redirected.unwrap_or_else(|| pages::technical_error("redirect address not sendable"))
}
