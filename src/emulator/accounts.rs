//! The pages of the providers beside SuperID: which account, what went wrong, signed out.

use askama::Template;
use http::StatusCode;

use super::answer::Answer;
use super::pages;

/// An account to choose.
pub(super) struct Row<'a> {
    pub(super) upn: &'a str,
    pub(super) name: String,
    pub(super) standing: String,
    pub(super) hinted: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div class="card">
<h1>Choose an account</h1>
<form method="post" action="{{ action }}">
<input type="hidden" name="request" value="{{ request }}">
{% for row in rows %}<button class="row{% if row.hinted %} hinted{% endif %}" name="person"
value="{{ row.upn }}">
{{ row.name }}<span>{{ row.upn }}</span><span>{{ row.standing }}</span></button>
{% endfor %}<button name="decision" value="refuse">Cancel</button>
</form>
</div>"#
)]
struct Accounts<'a> {
    action: &'a str,
    request: &'a str,
    rows: Vec<Row<'a>>,
}

/// The page of accounts: a plain form that posts `request` with `person`, or with `decision`.
pub(super) fn page(mark: &str, action: &str, request: &str, rows: Vec<Row<'_>>) -> Answer {
    let body = Accounts { action, request, rows };
    Answer::page(StatusCode::OK, pages::whole("Choose an account", "narrow", mark, &body))
}

#[derive(Template)]
#[template(ext = "html", source = r#"<div class="card"><h1>{{ heading }}</h1></div>"#)]
struct Notice<'a> {
    heading: &'a str,
}

/// A page where the road ends; the app hears nothing.
pub(super) fn trouble(mark: &str, words: &str) -> Answer {
    let html = pages::whole("Sign-in failed", "narrow", mark, &Notice { heading: words });
    Answer::page(StatusCode::BAD_REQUEST, html)
}

pub(super) fn signed_out() -> Answer {
    let heading = "You are signed out";
    Answer::page(StatusCode::OK, pages::whole(heading, "narrow", "", &Notice { heading }))
}
