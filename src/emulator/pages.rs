//! SuperID's pages for people: one layout for all, every value escaped by its template.

use askama::Template;
use http::{StatusCode, header};

use super::answer::Answer;
use super::apps::App;
use super::call::Call;
use super::ending::Ending;
use super::grants::{Request, alphanumeric};
use super::seed::{Person, Rights, Tenant};
use super::world::{Seat, World};

/// A whole page around `body`, which a template has escaped already.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main class="{{ width }}">
<p class="mark">{{ mark }}</p>
{{ body|safe }}
</main>
</body>
</html>
"#
)]
struct Layout<'a> {
    title: &'a str,
    width: &'static str,
    mark: &'a str,
    style: &'static str,
    body: &'a str,
}

const STYLE: &str = include_str!("templates/style.css");
const MARK: &str = "SuperID emulator – no real account is behind this page";

/// A page of the given width, from its rendered body.
pub(super) fn whole(title: &str, width: &'static str, mark: &str, body: &impl Template) -> String {
    let body = body.render().expect("templates write to memory only");
    let layout = Layout { title, width, mark, style: STYLE, body: &body };
    layout.render().expect("templates write to memory only")
}

fn page(status: StatusCode, title: &str, body: &impl Template) -> Answer {
    Answer::page(status, whole(title, "narrow", MARK, body))
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div class="card">
<h1>Sign in</h1>
<p>{{ app }} wants to know who you are. Choose a person; there are no passwords here.</p>
{% if let Some(tenant) = tenant %}<p class="soft">For the tenant {{ tenant }}.</p>{% endif %}
<form method="post" action="/login/sign-in">
<input type="hidden" name="request" value="{{ request }}">
{% for row in rows %}<button class="row{{ row.class }}" name="person" value="{{ row.upn }}">
{{ row.name }}<span>{{ row.upn }}</span><span>{{ row.standing }}</span></button>
{% endfor %}<p class="soft"><label>What SuperID does then:
<select name="ending"><option value="">signs you in</option>{% for ending in endings %}
<option value="{{ ending.0 }}">{{ ending.1 }}</option>{% endfor %}</select></label></p>
</form>
</div>"#
)]
struct People<'a> {
    app: &'a str,
    tenant: Option<&'a str>,
    request: &'a str,
    rows: Vec<PersonRow<'a>>,
    endings: Vec<(&'static str, String)>,
}

struct PersonRow<'a> {
    upn: &'a str,
    name: String,
    standing: String,
    class: &'static str,
}

/// Who is it? The person the app hinted at stands out.
pub(super) fn people(world: &World, id: &str, app: &str, request: &Request) -> Answer {
    let hint = request.login_hint.as_deref().unwrap_or_default();
    let rows = world.seed.people.iter().map(|person| PersonRow {
        upn: &person.upn,
        name: person.name(),
        standing: standing(world, person),
        class: if person.upn.eq_ignore_ascii_case(hint) { " hinted" } else { "" },
    });
    let rows = rows.collect();
    let endings = Ending::ALL.into_iter().map(|ending| (ending.name(), ending.words())).collect();
    let body = People { app, tenant: request.tenant.as_deref(), request: id, rows, endings };
    page(StatusCode::OK, "Sign in", &body).for_client(&request.client_id)
}

/// `Nordlys Marine AS (administrator), Fjordbank ASA`.
fn standing(world: &World, person: &Person) -> String {
    let accounts = person.memberships.iter().map(|account| {
        let tenant = world.seed.tenant(&account.ctx);
        let company = tenant.map_or(account.ctx.as_str(), |tenant| tenant.company.as_str());
        match account.rights {
            Rights::Administrator => format!("{company} (administrator)"),
            Rights::User => company.to_owned(),
        }
    });
    let accounts: Vec<_> = accounts.collect();
    match accounts.is_empty() {
        true => "no account in any tenant".into(),
        false => accounts.join(", "),
    }
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div class="card">
<h1>Choose a tenant</h1>
<p>{{ person.name() }} has an account in several.</p>
<form method="post" action="/login/sign-in">
<input type="hidden" name="request" value="{{ request }}">
<input type="hidden" name="person" value="{{ person.upn }}">
{% for tenant in tenants %}<button class="row" name="tenant" value="{{ tenant.ctx }}">
{{ tenant.company }}<span>{{ tenant.ctx }}</span></button>
{% endfor %}</form>
</div>"#
)]
struct Tenants<'a> {
    request: &'a str,
    person: &'a Person,
    tenants: &'a [&'a Tenant],
}

/// Which tenant? For people of several.
pub(super) fn tenants(request: &str, person: &Person, tenants: &[&Tenant]) -> Answer {
    page(StatusCode::OK, "Choose a tenant", &Tenants { request, person, tenants })
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div class="card">
<h1>Approve {{ app.name }}?</h1>
<p>{{ app.name }} asks for access to <strong>{{ seat.tenant.company }}</strong>
({{ seat.tenant.ctx }}), for everyone in it.</p>
{% if app.system_user %}<p>It also wants to work on its own, as a system user.</p>{% endif %}
<p class="soft">You are {{ seat.person.upn }}, an administrator.</p>
<form class="actions" method="post" action="/login/consent">
<input type="hidden" name="request" value="{{ request }}">
<button class="main" name="decision" value="accept">Approve</button>
<button name="decision" value="refuse">Refuse</button>
</form>
</div>"#
)]
struct Approval<'a> {
    request: &'a str,
    app: &'a App,
    seat: Seat<'a>,
}

/// May this app? Asked of administrators only.
pub(super) fn consent(request: &str, app: &App, seat: Seat<'_>) -> Answer {
    page(StatusCode::OK, "Approve an app", &Approval { request, app, seat })
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div class="card">
<h1>{{ heading }}</h1>
<p>{{ text }}</p>
{% if !request.is_empty() %}
<p><a href="/login/sign-in?request={{ request }}">Sign in as somebody else</a></p>
{% endif %}
</div>"#
)]
struct Notice<'a> {
    heading: &'a str,
    text: &'a str,
    request: &'a str,
}

fn notice(status: StatusCode, heading: &str, text: &str) -> Answer {
    page(status, heading, &Notice { heading, text, request: "" })
}

/// The end of the road for somebody without an account, or without the right to approve the app.
pub(super) fn no_access(id: &str, upn: &str, request: &Request) -> Answer {
    let place = request.tenant.as_deref().unwrap_or("a tenant this app may be used in");
    let text = format!(
        "{upn} has no account in {place}, or the app still needs an administrator's approval there."
    );
    let heading = "Account does not have access";
    let body = Notice { heading, text: &text, request: id };
    page(StatusCode::FORBIDDEN, heading, &body).for_client(&request.client_id)
}

/// SuperID's page for what a person cannot mend; the app hears nothing.
pub(super) fn technical_error(why: &'static str) -> Answer {
    let text = format!("Something is wrong with the app's request. Request ID: {}", request_id());
    notice(StatusCode::BAD_REQUEST, "Technical error", &text).refused(why)
}

/// The page was open too long, or the form was not one of ours.
pub(super) fn forgotten() -> Answer {
    let text = "This sign-in is no longer known. Go back to the app and start again.";
    notice(StatusCode::BAD_REQUEST, "Sign-in expired", text).refused("unknown request")
}

/// A request that ends here, in the words of `superid.md` §2.
pub(super) fn not_authorized(words: &str) -> Answer {
    notice(StatusCode::FORBIDDEN, "Not approved", words)
}

pub(super) fn signed_out() -> Answer {
    notice(StatusCode::OK, "Signed out", "SuperID has forgotten this browser.")
}

/// The tenant's own CRM, where the legacy flow sends people it cannot send to the app.
pub(super) fn crm(world: &World, call: &Call) -> Answer {
    let ctx = call.path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    match world.seed.tenant(ctx) {
        Some(tenant) => {
            let heading = format!("CRM of {}", tenant.company);
            let text = "SuperID sends people here when an app's return address is not registered.";
            notice(StatusCode::OK, &heading, text)
        }
        None => notice(StatusCode::NOT_FOUND, "No such tenant", ctx).refused("unknown tenant"),
    }
}

/// The front page: what this is and where to look.
pub(super) fn home(world: &World) -> Answer {
    let text = format!(
        "This stands in for SuperID at {}. Its metadata is at \
         /login/.well-known/openid-configuration, its journal at /emulator/journal, and its \
         people at /emulator/people.",
        world.base
    );
    notice(StatusCode::OK, "SuperID emulator", &text)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div class="card">
<h1>Back to the app</h1>
<p>You are being sent on. If nothing happens, use the button.</p>
<form method="post" action="{{ action }}">
{% for (name, value) in fields %}<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}<button class="main">Continue</button>
</form>
<script>document.forms[0].submit()</script>
</div>"#
)]
struct FormPost<'a> {
    action: &'a str,
    fields: &'a [(String, String)],
}

/// Posts `fields` to the app by itself, or with a button where scripts are off. Under
/// `no-referrer` a browser would say `Origin: null` of the form (Fetch, "append a request `Origin`
/// header"), and the app could not tell whose it is; this policy is the browsers' own default.
pub(super) fn form_post(action: &str, fields: &[(String, String)]) -> Answer {
    page(StatusCode::OK, "Back to the app", &FormPost { action, fields })
        .instead(header::REFERRER_POLICY, "strict-origin-when-cross-origin")
}

fn request_id() -> String {
    alphanumeric(12)
}
