//! How the demo app shows a request: a page that hides secrets, JSON that does not.

use askama::Template;
use serde_json::{Value, json};

use super::pages;
use super::recorded::Recorded;

/// The request with every header in full.
pub(super) fn json(request: &Recorded) -> Value {
    let lines = request.headers.iter().map(|(name, value)| json!([name.as_str(), text(value)]));
    let caller = request.headers.iter().filter(|(name, _)| is_about_caller(name.as_str()));
    let caller = caller.map(|(name, value)| (name.as_str().to_owned(), text(value).into()));
    json!({
        "method": request.method,
        "target": request.target,
        "caller": Value::Object(caller.collect()),
        "headers": lines.collect::<Vec<_>>(),
        "body_bytes": request.body.len(),
    })
}

/// The request as a page, secrets cut to their first eight characters.
pub(super) fn html(request: &Recorded) -> String {
    let lines = request.headers.iter().map(|(name, value)| Line {
        name: name.to_string(),
        value: shown(name.as_str(), &text(value)),
    });
    let (caller, headers) = lines.partition(|line: &Line| is_about_caller(&line.name));
    let page = Page { request, caller, headers };
    pages::whole("Demo app", "wide", "Demo app – it knows nothing about sign-in", &page)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<h1><code>{{ request.method }} {{ request.target }}</code></h1>
<div class="card">
<h2>Who is calling</h2>
{% if caller.is_empty() %}<p>Nobody said. The request carries no identity headers.</p>{% else %}
<dl class="wide">{% for line in caller %}
<div class="lit"><dt><code>{{ line.name }}</code></dt><dd>{{ line.value }}</dd></div>{% endfor %}
</dl>{% endif %}
</div>
<div class="card">
<h2>Try</h2>
<div class="actions">
<a class="button" href="/">Front page</a>
<a class="button" href="/orders/7?tab=2">An order</a>
<a class="button" href="/legacy/">Old sign-in</a>
<button type="button" id="ask">fetch('/orders/7.json')</button>
<a class="button" href="/auth/sign_out">Sign out</a>
</div>
<pre id="said" aria-live="polite" hidden></pre>
</div>
<div class="card">
<h2>All other headers</h2>
<dl class="wide">{% for line in headers %}
<div><dt><code>{{ line.name }}</code></dt><dd>{{ line.value }}</dd></div>{% endfor %}
</dl>
<p class="soft">Body: {{ request.body.len() }} bytes.</p>
</div>
<script>
document.getElementById('ask').onclick = function () {
  var said = document.getElementById('said');
  said.hidden = false;
  said.textContent = 'asking …';
  fetch('/orders/7.json', { headers: { Accept: 'application/json' } }).then(function (answer) {
    return answer.text().then(function (body) {
      said.textContent = 'HTTP ' + answer.status + '\n' + body;
    });
  }).catch(function (error) { said.textContent = String(error); });
};
</script>"#
)]
struct Page<'a> {
    request: &'a Recorded,
    caller: Vec<Line>,
    headers: Vec<Line>,
}

struct Line {
    name: String,
    value: String,
}

/// Header names come in lower case.
fn is_about_caller(name: &str) -> bool {
    let whole = ["authorization", "soticket", "so-apptoken"];
    name.starts_with("x-superoffice-") || whole.contains(&name)
}

fn is_secret(name: &str) -> bool {
    let parts = ["authorization", "cookie", "ticket", "token", "secret"];
    parts.iter().any(|part| name.contains(part))
}

/// A header's value for eyes: a secret keeps its first eight characters and its length.
fn shown(name: &str, value: &str) -> String {
    let length = value.chars().count();
    if !is_secret(name) || length <= 8 {
        return value.to_owned();
    }
    let start: String = value.chars().take(8).collect();
    format!("{start}… ({length} characters)")
}

fn text(value: &http::HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_keeps_only_the_start_of_a_secret() {
        assert_eq!(shown("authorization", "Bearer 8A:Cust12345.abc"), "Bearer 8… (23 characters)");
        assert_eq!(
            shown("x-superoffice-email", "astrid@nordlys.example"),
            "astrid@nordlys.example"
        );
    }
}
