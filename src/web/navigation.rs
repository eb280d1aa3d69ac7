//! Whether a request is a person going somewhere or a program asking for something.

use http::{HeaderMap, HeaderName, Method, header};

/// Who asks. A navigation can be redirected to a sign-in; a program gets 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// A browser that will show what comes back.
    Navigation,
    /// `fetch`, a script, an image, an upgrade, an API client.
    Program,
}

impl Asking {
    /// Decides by method, `Upgrade`, `X-Requested-With`, `Sec-Fetch-*` (W3C Fetch Metadata) where
    /// sent, and otherwise by whether `Accept` names HTML: every browser's navigation does, and
    /// `*/*` alone is what scripts send.
    pub fn of(method: &Method, headers: &HeaderMap) -> Self {
        if method != Method::GET && method != Method::HEAD {
            return Self::Program;
        }
        Self::of_form(headers)
    }

    /// As [`Asking::of`] where browsers post forms: there the method tells nothing.
    pub fn of_form(headers: &HeaderMap) -> Self {
        let text = |name: &HeaderName| headers.get(name).map(|value| value.as_bytes());
        if headers.contains_key(header::UPGRADE) || headers.contains_key(&REQUESTED_WITH) {
            return Self::Program;
        }
        match (text(&FETCH_MODE), text(&FETCH_DEST)) {
            (Some(b"navigate"), None | Some(b"document" | b"iframe" | b"frame")) => {
                Self::Navigation
            }
            (Some(_), _) | (None, Some(_)) => Self::Program,
            (None, None) if accepts_html(headers) => Self::Navigation,
            (None, None) => Self::Program,
        }
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|part| {
            let kind = part.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("text/html")
                || kind.eq_ignore_ascii_case("application/xhtml+xml")
        })
    })
}

const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(method: Method, pairs: &[(&'static str, &'static str)]) -> Asking {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        Asking::of(&method, &headers)
    }

    #[test]
    fn browsers_navigate() {
        let html = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        assert_eq!(asking(Method::GET, &[html]), Asking::Navigation);
        let framed = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
        assert_eq!(asking(Method::GET, &framed), Asking::Navigation);
        assert_eq!(asking(Method::GET, &[("sec-fetch-mode", "navigate")]), Asking::Navigation);
        let mut form = HeaderMap::new();
        form.insert("sec-fetch-mode", "navigate".parse().unwrap());
        assert_eq!(Asking::of_form(&form), Asking::Navigation);
    }

    #[test]
    fn programs_ask() {
        let html = ("accept", "text/html");
        assert_eq!(asking(Method::POST, &[html]), Asking::Program);
        assert_eq!(asking(Method::GET, &[]), Asking::Program);
        assert_eq!(asking(Method::GET, &[("accept", "*/*")]), Asking::Program);
        assert_eq!(asking(Method::GET, &[html, ("sec-fetch-mode", "cors")]), Asking::Program);
        assert_eq!(asking(Method::GET, &[html, ("sec-fetch-dest", "image")]), Asking::Program);
        let xhr = [html, ("x-requested-with", "XMLHttpRequest")];
        assert_eq!(asking(Method::GET, &xhr), Asking::Program);
        assert_eq!(asking(Method::GET, &[html, ("upgrade", "websocket")]), Asking::Program);
        assert_eq!(Asking::of_form(&HeaderMap::new()), Asking::Program);
    }

    #[test]
    fn a_browsers_form_is_a_person_where_a_page_answers_it() {
        let of_form = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            Asking::of_form(&headers)
        };
        assert_eq!(of_form("sec-fetch-mode", "navigate"), Asking::Navigation);
        assert_eq!(of_form("accept", "text/html,*/*;q=0.8"), Asking::Navigation);
        assert_eq!(of_form("sec-fetch-mode", "no-cors"), Asking::Program);
        assert_eq!(of_form("accept", "*/*"), Asking::Program);
    }
}
