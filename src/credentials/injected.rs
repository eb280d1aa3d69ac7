//! The identity and credential headers of a permitted request.

use std::fmt::Write as _;

use bytes::BytesMut;
use http::{HeaderName, HeaderValue, header};

use crate::authn::Permit;
use crate::config::{Present, Route};
use crate::identity::{Credential, Principal};

/// Headers to set on the way to the app.
pub type Injection = Vec<(HeaderName, HeaderValue)>;

/// The headers a route asks for. What the sign-in did not say is absent, never empty.
pub fn injected(permit: &Permit, route: &Route) -> Injection {
    let Some(session) = permit.session() else { return Injection::new() };
    let mut set = Setting::new();
    identity(&session.principal, route, &mut set);
    let credential = shown(route.present, &session.credential);
    let name = match credential {
        Credential::Bearer { .. } => &route.headers.bearer,
        Credential::Ticket(_) => &route.headers.ticket,
        Credential::Nothing => &None,
    };
    match credential {
        Credential::Bearer { token, .. } => {
            let bearer = format!("Bearer {}", token.reveal());
            set.add(name.as_ref(), Some(&bearer), Sensitivity::Secret);
        }
        Credential::Ticket(ticket) if *name == Some(header::AUTHORIZATION) => {
            let ticket = format!("SOTicket {}", ticket.reveal());
            set.add(name.as_ref(), Some(&ticket), Sensitivity::Secret);
        }
        Credential::Ticket(ticket) => {
            set.add(name.as_ref(), Some(ticket.reveal()), Sensitivity::Secret);
        }
        Credential::Nothing => {}
    }
    if route.oauth2_proxy_headers {
        aliases(&session.principal, credential, &mut set);
    }
    set.headers
}

#[derive(Clone, Copy)]
enum Sensitivity {
    Open,
    Secret,
}

/// Headers being set. Their values share one buffer: one allocation instead of two for each.
struct Setting {
    headers: Injection,
    buffer: BytesMut,
}

impl Setting {
    fn new() -> Self {
        Self { headers: Injection::with_capacity(16), buffer: BytesMut::with_capacity(1024) }
    }

    fn add(&mut self, name: Option<&HeaderName>, value: Option<&str>, kind: Sensitivity) {
        let (Some(name), Some(value)) = (name, value) else { return };
        self.buffer.extend_from_slice(ascii(value).as_bytes());
        let bytes = self.buffer.split().freeze();
        if let Ok(mut value) = HeaderValue::from_maybe_shared(bytes) {
            value.set_sensitive(matches!(kind, Sensitivity::Secret));
            self.headers.push((name.clone(), value));
        }
    }
}

fn identity(who: &Principal, route: &Route, set: &mut Setting) {
    let names = &route.headers;
    let administrator = if who.administrator { "true" } else { "false" };
    let pairs = [
        (&names.user, Some(who.subject.as_str())),
        (&names.context, Some(who.context.as_str())),
        (&names.company, who.company.as_deref()),
        (&names.email, who.email.as_deref()),
        (&names.initials, who.initials.as_deref()),
        (&names.first_name, who.first_name.as_deref()),
        (&names.last_name, who.last_name.as_deref()),
        (&names.associate_id, who.associate_id.as_deref()),
        (&names.administrator, Some(administrator)),
        (&names.web_api_url, who.web_api_url.as_deref()),
        (&names.soap_url, who.soap_url.as_deref()),
    ];
    for (name, value) in pairs {
        set.add(name.as_ref(), value, Sensitivity::Open);
    }
}

/// oauth2-proxy's names, for apps that already read those.
fn aliases(who: &Principal, credential: &Credential, set: &mut Setting) {
    let token = match credential {
        Credential::Bearer { token, .. } => Some(token.reveal()),
        Credential::Nothing | Credential::Ticket(_) => None,
    };
    let pairs = [
        ("x-forwarded-user", Some(who.subject.as_str()), Sensitivity::Open),
        ("x-forwarded-email", who.email.as_deref(), Sensitivity::Open),
        ("x-forwarded-preferred-username", who.initials.as_deref(), Sensitivity::Open),
        ("x-forwarded-groups", Some(who.context.as_str()), Sensitivity::Open),
        ("x-forwarded-access-token", token, Sensitivity::Secret),
    ];
    for (name, value, sensitivity) in pairs {
        set.add(Some(&HeaderName::from_static(name)), value, sensitivity);
    }
}

fn shown(present: Present, credential: &Credential) -> &Credential {
    match (present, credential) {
        (Present::Auto, any) => any,
        (Present::Bearer, Credential::Bearer { .. }) => credential,
        (Present::Ticket, Credential::Ticket(_)) => credential,
        (Present::Bearer | Present::Nothing | Present::SystemUser | Present::Ticket, _) => {
            &Credential::Nothing
        }
    }
}

/// Visible ASCII and inner spaces stay; every other byte and `%` itself become `%XX` of their
/// UTF-8, so that `Bjørn` arrives whole through frameworks that read headers as Latin-1.
fn ascii(text: &str) -> std::borrow::Cow<'_, str> {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'%';
    // Every byte is looked at, to the end: the compiler then looks at many at once.
    let all_plain = text.bytes().fold(true, |all, byte| all & plain(byte));
    if all_plain && text.trim_ascii() == text {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.trim().bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_ascii_arrive_percent_encoded_and_nothing_can_end_a_header() {
        assert_eq!(ascii("Bjørn 100%"), "Bj%C3%B8rn 100%25");
        assert_eq!(ascii("a\r\nSOTicket: x"), "a%0D%0ASOTicket: x");
        assert_eq!(ascii("plain text"), "plain text");
    }
}
