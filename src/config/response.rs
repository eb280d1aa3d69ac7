//! What a sign-in asks for, and by which way the browser brings it.

use serde::{Deserialize, Serialize};

use super::reading::quoted;
use super::section::Section;
use super::value::Value;

/// `response_type` and `response_mode` of a relying party (OAuth 2.0 Multiple Response Types §2–5,
/// Form Post Response Mode).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The words as they were written, which is how they are sent: their order means nothing, but
    /// some servers compare it.
    pub words: String,
    pub parts: Parts,
    pub mode: ResponseMode,
}

/// What comes back through the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    pub code: bool,
    pub id_token: bool,
    /// An access token.
    pub token: bool,
}

/// How the browser brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResponseMode {
    /// A form posted from the provider's page.
    FormPost,
    /// Behind the `#` of the redirect URL, from where a page of ours posts it.
    Fragment,
    /// In the query of the redirect URL.
    Query,
}

impl Response {
    /// A code, in the query.
    pub fn code() -> Self {
        let parts = Parts { code: true, id_token: false, token: false };
        Self { words: "code".to_owned(), parts, mode: ResponseMode::Query }
    }
}

impl Parts {
    /// A code and nothing else.
    pub fn is_code_alone(self) -> bool {
        self.code && !self.id_token && !self.token
    }
}

impl ResponseMode {
    /// As `response_mode` spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::FormPost => "form_post",
            Self::Fragment => "fragment",
            Self::Query => "query",
        }
    }
}

/// Reads both keys of a relying party.
pub(super) fn response(section: &Section) -> Option<Response> {
    let asked = section.read("response_type", response_type);
    let mode = section.optional("response_mode", |value| {
        value.choice(
            &[ResponseMode::Query, ResponseMode::FormPost, ResponseMode::Fragment]
                .map(|mode| (mode.word(), mode)),
        )
    });
    if section.has("response_mode") && mode.is_none() {
        return None;
    }
    let (words, parts) = asked?;
    let mode = mode.unwrap_or(match parts.is_code_alone() {
        true => ResponseMode::Query,
        false => ResponseMode::FormPost,
    });
    if mode == ResponseMode::Query && !parts.is_code_alone() {
        section.reading.problem(
            &section.place("response_mode"),
            "\"query\" would put tokens into the address, and so into history and logs",
            "write response_mode = \"form_post\"",
        );
        return None;
    }
    Some(Response { words, parts, mode })
}

/// Says what a sign-in costs that brings tokens through the browser.
pub(super) fn warn_about_tokens(section: &Section, response: &Response) {
    if response.parts.is_code_alone() {
        return;
    }
    let wrong = format!(
        "{} brings tokens through the browser, where scripts, extensions and whoever shares the \
         machine can see them; it is deprecated",
        quoted(&response.words)
    );
    let instead = "use response_type = \"code\"";
    section.reading.warn(&section.place("response_type"), wrong, instead);
    // `superid.md` §1: discovery lists neither `code token` nor `code id_token token`.
    if response.parts.code && response.parts.token && !section.has("provider") {
        section.reading.warn(
            &section.place("response_type"),
            format!("SuperID does not list {} among what it answers", quoted(&response.words)),
            "use response_type = \"code\", or \"code id_token\"",
        );
    }
}

/// The words in any order, each once. There is no signing in without a code or an id_token.
fn response_type(value: &Value) -> Option<(String, Parts)> {
    let text = value.text()?;
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let mut parts = Parts { code: false, id_token: false, token: false };
    for word in &words {
        let part = match *word {
            "code" => &mut parts.code,
            "id_token" => &mut parts.id_token,
            "token" => &mut parts.token,
            other => {
                let wrong = format!("{} is no part of an answer", quoted(other));
                return value.refuse(wrong, "write \"code\"");
            }
        };
        if std::mem::replace(part, true) {
            return value.refuse(format!("{} stands here twice", quoted(word)), "write it once");
        }
    }
    if !parts.code && !parts.id_token {
        let wrong = format!("{} says nothing of who signed in", quoted(text));
        return value.refuse(wrong, "write \"code\"");
    }
    Some((words.join(" "), parts))
}
