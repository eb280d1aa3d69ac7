//! Signs assertions: short-lived JSON Web Tokens of ours, each for one host and one route.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;

use crate::clock::Timestamp;
use crate::config;
use crate::crypto::{Es256Key, Random};
use crate::session::SessionState;
use crate::web::PublicOrigin;

use super::key_set::{key_set, thumbprint};

/// Signs with the first of the configured keys, and publishes all of them.
pub struct Signer {
    key: Es256Key,
    /// The protected header, encoded.
    header: String,
    issuer: Option<String>,
    life: u64,
    /// Seconds a session lives at most: no assertion outlives its session.
    session: u64,
    published: String,
    random: Random,
}

/// Whom an assertion is for.
#[derive(Clone, Copy, Debug)]
pub struct Addressee<'a> {
    /// The public host, which becomes the audience.
    pub origin: &'a PublicOrigin,
    /// The route's name.
    pub route: &'a str,
}

/// A signed assertion as the value of a header.
#[derive(Clone, Debug)]
pub struct Assertion {
    pub value: HeaderValue,
    /// From then on another one should be made: half of its life is over.
    pub stale: Timestamp,
}

impl Signer {
    /// For a configuration; `None` where nothing is to be signed.
    pub fn of(settings: &config::Settings, random: &Random) -> Option<Self> {
        let assertion = settings.assertion.as_ref()?;
        Some(Self::new(assertion, settings.session.absolute, random))
    }

    /// For a table of the configuration, and sessions that live so many seconds at most.
    ///
    /// # Panics
    /// Without a key: a configuration without one does not load.
    pub fn new(settings: &config::Assertion, session: u64, random: &Random) -> Self {
        let key = settings.keys.first().expect("an assertion has at least one key").clone();
        let header = serde_json::json!({ "alg": "ES256", "typ": "JWT", "kid": thumbprint(&key) });
        Self {
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
            key,
            issuer: settings.issuer.clone(),
            life: settings.life,
            session,
            published: key_set(&settings.keys),
            random: random.clone(),
        }
    }

    /// The public keys, as JSON.
    pub fn published(&self) -> &str {
        &self.published
    }

    /// Signs who is calling. `None` when the machine lets us down: then the app is told nothing,
    /// and refuses.
    pub fn assert(
        &self,
        session: &SessionState,
        to: Addressee<'_>,
        now: Timestamp,
    ) -> Option<Assertion> {
        let end = session.signed_in.plus(self.session);
        let until = now.plus(self.life).0.min(end.0).max(now.0 + 1);
        let mut text = format!("{}.{}", self.header, self.claims(session, to, (now, until)));
        let signature = self.key.sign(text.as_bytes()).ok()?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(Assertion { value, stale: now.plus(((until - now.0) / 2).max(1)) })
    }

    /// The registered names of RFC 7519 §4.1, and the facts that headers tell.
    fn claims(
        &self,
        session: &SessionState,
        to: Addressee<'_>,
        (now, until): (Timestamp, u64),
    ) -> String {
        let mut claims = session.principal.facts();
        claims.remove("user");
        let id = URL_SAFE_NO_PAD.encode(self.random.bytes::<16>());
        let issuer = self.issuer.as_deref().unwrap_or(to.origin.as_str());
        let texts = [
            ("iss", issuer),
            ("aud", to.origin.as_str()),
            ("sub", session.principal.subject.as_str()),
            ("jti", id.as_str()),
            ("route", to.route),
            ("relying_party", session.relying_party.as_str()),
        ];
        for (name, text) in texts {
            claims.insert(name.to_owned(), text.into());
        }
        for (name, time) in [("iat", now.0), ("exp", until), ("auth_time", session.signed_in.0)] {
            claims.insert(name.to_owned(), time.into());
        }
        URL_SAFE_NO_PAD.encode(serde_json::Value::Object(claims).to_string())
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, jwk::JwkSet};

    use super::*;

    fn signer(life: u64) -> Signer {
        let key = Es256Key::read(&Es256Key::new_pem().unwrap()).unwrap();
        let settings = config::Assertion { keys: vec![key], life, issuer: None };
        Signer::new(&settings, 3600, &Random::counting())
    }

    fn claims(signer: &Signer, assertion: &Assertion) -> serde_json::Value {
        let keys: JwkSet = serde_json::from_str(signer.published()).unwrap();
        let key = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["https://app.example"]);
        rules.validate_exp = false;
        decode(assertion.value.as_bytes(), &key, &rules).unwrap().claims
    }

    #[test]
    fn it_says_who_for_whom_and_how_long_and_another_library_believes_it() {
        let signer = signer(120);
        let origin = PublicOrigin::parse("https://app.example").unwrap();
        let session = SessionState::of("a@b.example", [1; 16], Timestamp(1000));
        let to = Addressee { origin: &origin, route: "orders" };
        let first = signer.assert(&session, to, Timestamp(1100)).unwrap();
        let claims = claims(&signer, &first);
        assert_eq!(claims["iss"], "https://app.example");
        assert_eq!(claims["sub"], "a@b.example");
        assert_eq!((&claims["iat"], &claims["exp"]), (&1100.into(), &1220.into()));
        assert_eq!((&claims["route"], &claims["context"]), (&"orders".into(), &"Cust1".into()));
        assert_eq!(claims["administrator"], false);
        assert!(claims.get("user").is_none() && claims.get("email").is_none());
        assert_eq!(first.stale, Timestamp(1160));
        let second = signer.assert(&session, to, Timestamp(1100)).unwrap();
        assert_ne!(self::claims(&signer, &second)["jti"], claims["jti"]);
    }

    #[test]
    fn it_does_not_outlive_the_session() {
        let signer = signer(300);
        let origin = PublicOrigin::parse("https://app.example").unwrap();
        let session = SessionState::of("a@b.example", [1; 16], Timestamp(1000));
        let to = Addressee { origin: &origin, route: "orders" };
        let last = signer.assert(&session, to, Timestamp(4590)).unwrap();
        assert_eq!(claims(&signer, &last)["exp"], 4600);
        assert_eq!(last.stale, Timestamp(4595));
    }
}
