//! A provider's addresses: from its discovery document, and over it those that are pinned.

use url::Url;

use crate::config::{Pins, Provider, is_this_machine};
use crate::superid::{Json, Object, Outage};

/// Where a provider does what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) authorize: Url,
    pub(super) token: Url,
    pub(super) keys: Url,
    pub(super) userinfo: Option<Url>,
    pub(super) pushed_request: Option<Url>,
    pub(super) end_session: Option<Url>,
    pub(super) revocation: Option<Url>,
    pub(super) by_certificate: ByCertificate,
    pub(super) answers: Answers,
}

/// Where a client goes that shows a certificate (RFC 8705 §5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ByCertificate {
    pub(super) token: Option<Url>,
    pub(super) pushed_request: Option<Url>,
    pub(super) revocation: Option<Url>,
    pub(super) userinfo: Option<Url>,
}

/// Whether its answers to the browser say whose they are (RFC 9207 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    MayNameTheIssuer,
    NameTheIssuer,
}

impl Document {
    /// What is pinned, where that is enough to sign people in.
    pub(super) fn pinned(provider: &Provider) -> Option<Self> {
        let Pins { authorize, token, keys, userinfo, pushed_request, end_session, revocation } =
            provider.pins.clone();
        Some(Self {
            authorize: authorize?,
            token: token?,
            keys: keys?,
            userinfo,
            pushed_request,
            end_session,
            revocation,
            by_certificate: ByCertificate::default(),
            answers: Answers::MayNameTheIssuer,
        })
    }

    /// Reads a discovery document (OpenID Connect Discovery §4.2). Its issuer must be the configured
    /// one letter by letter (§4.3), and all its addresses https, or http on this machine where the
    /// issuer is.
    ///
    /// # Errors
    /// [`Outage::Discovery`] when it is another issuer's or lacks an address; [`Outage::Unreadable`]
    /// when it is no such document at all.
    pub(super) fn read(bytes: &[u8], provider: &Provider) -> Result<Self, Outage> {
        let document = Object::parse(bytes).map_err(|_| Outage::Unreadable)?;
        match document.text("issuer") {
            Some(issuer) if issuer == provider.issuer => {}
            Some(_) => return Err(Outage::Discovery("its issuer is not the configured one")),
            None => return Err(Outage::Unreadable),
        }
        let found = |object: &Object, member: &str| match object.get(member) {
            None => Ok(None),
            Some(Json::Text(text)) => callable(text, provider).map(Some),
            Some(_) => Err(Outage::Discovery("an address in it is none")),
        };
        let address = |member: &str, pin: &Option<Url>| match pin {
            Some(pin) => Ok(Some(pin.clone())),
            None => found(&document, member),
        };
        let needed =
            |address: Option<Url>| address.ok_or(Outage::Discovery("an address is missing"));
        let pins = &provider.pins;
        let mut by_certificate = ByCertificate::default();
        if let Some(Json::Object(aliases)) = document.get("mtls_endpoint_aliases") {
            let alias = |member, pin: &Option<Url>| match pin {
                Some(_) => Ok(None),
                None => found(aliases, member),
            };
            by_certificate.token = alias("token_endpoint", &pins.token)?;
            by_certificate.pushed_request =
                alias("pushed_authorization_request_endpoint", &pins.pushed_request)?;
            by_certificate.revocation = alias("revocation_endpoint", &pins.revocation)?;
            by_certificate.userinfo = alias("userinfo_endpoint", &pins.userinfo)?;
        }
        let named = document.get("authorization_response_iss_parameter_supported");
        let answers = match named == Some(&Json::Bool(true)) {
            true => Answers::NameTheIssuer,
            false => Answers::MayNameTheIssuer,
        };
        Ok(Self {
            authorize: needed(address("authorization_endpoint", &pins.authorize)?)?,
            token: needed(address("token_endpoint", &pins.token)?)?,
            keys: needed(address("jwks_uri", &pins.keys)?)?,
            userinfo: address("userinfo_endpoint", &pins.userinfo)?,
            pushed_request: address("pushed_authorization_request_endpoint", &pins.pushed_request)?,
            end_session: address("end_session_endpoint", &pins.end_session)?,
            revocation: address("revocation_endpoint", &pins.revocation)?,
            by_certificate,
            answers,
        })
    }
}

fn callable(text: &str, provider: &Provider) -> Result<Url, Outage> {
    let url = Url::parse(text).map_err(|_| Outage::Discovery("an address in it is none"))?;
    let local = || provider.issuer.starts_with("http://") && is_this_machine(&url);
    let safe = url.scheme() == "https" || (url.scheme() == "http" && local());
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if text.len() <= 2048 && safe && bare && url.has_host() {
        Ok(url)
    } else {
        Err(Outage::Discovery("an address in it is not https, or no plain one"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn good() -> Value {
        json!({
            "issuer": "https://a.example", "authorization_endpoint": "https://a.example/authorize?p=1",
            "token_endpoint": "https://t.example/token", "jwks_uri": "https://a.example/keys",
        })
    }

    fn read(document: &Value, issuer: &str) -> Result<Document, String> {
        Document::read(document.to_string().as_bytes(), &Provider::for_tests(issuer))
            .map_err(|outage| outage.to_string())
    }

    #[test]
    fn the_issuer_is_compared_letter_by_letter() {
        assert!(read(&good(), "https://a.example").is_ok());
        for other in ["https://a.example/", "https://A.example", "https://b.example"] {
            assert!(read(&good(), other).unwrap_err().contains("issuer"), "{other}");
        }
        let mut without = good();
        without.as_object_mut().unwrap().remove("issuer");
        assert!(read(&without, "https://a.example").unwrap_err().contains("does not promise"));
    }

    #[test]
    fn an_address_that_leads_elsewhere_than_https_is_refused() {
        for odd in [
            "http://a.example/token",
            "http://127.0.0.1/token",
            "file:///etc/passwd",
            "https://user@a.example/",
            "https://a.example/#x",
            "token",
        ] {
            let mut document = good();
            document["token_endpoint"] = json!(odd);
            assert!(read(&document, "https://a.example").is_err(), "{odd}");
        }
        for missing in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            let mut document = good();
            document.as_object_mut().unwrap().remove(missing);
            assert!(read(&document, "https://a.example").is_err(), "{missing}");
        }
    }

    #[test]
    fn on_this_machine_http_will_do_where_the_issuer_is_there_too() {
        let mut document = good();
        document["issuer"] = json!("http://127.0.0.1:9000");
        document["token_endpoint"] = json!("http://127.0.0.1:9000/token");
        assert!(read(&document, "http://127.0.0.1:9000").is_ok());
        document["token_endpoint"] = json!("http://elsewhere.example/token");
        assert!(read(&document, "http://127.0.0.1:9000").is_err());
    }

    #[test]
    fn what_is_pinned_counts_more_than_what_is_found() {
        let mut provider = Provider::for_tests("https://a.example");
        let pin = Url::parse("https://pinned.example/token").unwrap();
        provider.pins.token = Some(pin.clone());
        let mut document = good();
        document["mtls_endpoint_aliases"] = json!({"token_endpoint": "https://m.example/token"});
        let read = Document::read(document.to_string().as_bytes(), &provider).unwrap();
        assert_eq!((read.token, read.by_certificate.token), (pin, None));
    }
}
