//! What an app may be answered with, and how: response types and modes (`superid.md` §2).

/// One thing the authorization endpoint can hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Code,
    IdToken,
    Token,
}

/// A response type: at least one part, each once, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts(Vec<Part>);

/// How the callback carries its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseMode {
    FormPost,
    Fragment,
    Query,
}

impl Parts {
    /// From `response_type`. `None` for an unknown part, or one named twice.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        for word in text.split(' ') {
            let part = match word {
                "code" => Part::Code,
                "id_token" => Part::IdToken,
                "token" => Part::Token,
                _ => return None,
            };
            if parts.contains(&part) {
                return None;
            }
            parts.push(part);
        }
        Some(Self(parts))
    }

    pub(super) fn code_alone() -> Self {
        Self(vec![Part::Code])
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.0.contains(&part)
    }

    /// Whether a token travels through the browser; such an answer never stands in a query.
    pub(super) fn shows_tokens(&self) -> bool {
        self.has(Part::IdToken) || self.has(Part::Token)
    }
}

impl ResponseMode {
    /// From `response_mode`. Without one, and for one nobody knows (an official sample sends
    /// `form_data`, `superid.md` §2), it is the query for a code alone and else the fragment.
    pub(super) fn of(asked: Option<&str>, parts: &Parts) -> Self {
        match asked {
            Some("form_post") => Self::FormPost,
            Some("fragment") => Self::Fragment,
            Some("query") => Self::Query,
            _ if parts.shows_tokens() => Self::Fragment,
            _ => Self::Query,
        }
    }
}

/// `name=value&…` as .NET writes it: lower-case hexadecimal, `+` for a blank, and `:` of a token
/// encoded (`superid.md` §2).
pub(super) fn lower_case_encoded(fields: &[(String, String)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'_' | b'.' | b'!' | b'*' | b'(' | b')' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_parts_is_a_type_and_nothing_else_is() {
        let sets = [
            "code",
            "id_token",
            "token",
            "code id_token",
            "token id_token",
            "code token",
            "id_token code token",
        ];
        assert!(sets.iter().all(|text| Parts::parse(text).is_some()));
        assert!(
            ["", "none", "code code", "code  token", "Code"]
                .iter()
                .all(|text| { Parts::parse(text).is_none() })
        );
    }

    #[test]
    fn a_fragment_is_encoded_as_the_published_sample_is() {
        let fields =
            [("access_token".into(), "8A:Cust12345.a+/=".into()), ("s".into(), "é b".into())];
        assert_eq!(
            lower_case_encoded(&fields),
            "access_token=8A%3aCust12345.a%2b%2f%3d&s=%c3%a9+b"
        );
    }
}
