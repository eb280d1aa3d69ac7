//! Where somebody says to go back to: never another origin, whoever resolves it.

use superid_gateway::web::{PublicOrigin, ReturnTo};
use url::Url;

/// Reads them as a way back, on an https and an http origin.
pub fn return_to(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut taken = false;
    for origin in ["https://app.example", "http://localhost:8080"] {
        let origin = PublicOrigin::parse(origin).expect("an origin");
        let Some(target) = ReturnTo::parse(text, &origin, "/auth") else { continue };
        taken = true;
        let local = target.as_str();
        assert_eq!(ReturnTo::parse(local, &origin, "/auth"), Some(target.clone()));
        let own = local.split(['?', '#']).next().unwrap_or_default();
        assert!(own != "/auth" && !own.starts_with("/auth/"), "{local}");
        let address = target.on(&origin);
        assert!(http::HeaderValue::from_str(&address).is_ok() && address.is_ascii());
        let base = Url::parse(origin.as_str()).expect("a URL");
        let urls =
            [Url::parse(&address), base.join(local), base.join("/auth/x").unwrap().join(local)];
        for url in urls {
            let url = url.expect("a browser can go there");
            assert_eq!(url.origin(), base.origin(), "{local}");
            assert_eq!((url.username(), url.password()), ("", None));
            assert_eq!(url.fragment(), local.split_once('#').map(|(_, kept)| kept), "{local}");
        }
    }
    taken
}
