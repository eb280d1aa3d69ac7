//! `[relying_party.NAME.webhook]`: where an app is told who installed it, and what proves that it
//! was us.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use url::Url;
use zeroize::Zeroizing;

use crate::crypto::{Authorities, MacKey};

use super::secret_source::secret;
use super::section::Section;
use super::upstream_read::believed;
use super::url_path::is_this_machine;
use super::value::Value;
use super::{Key, Table};

pub(super) const TABLE: Table = Table {
    header: "relying_party.NAME.webhook",
    keys: &[
        Key::required("url", "\"https://app.example/superoffice-events\""),
        Key::required("secret", "{ env = \"WEBHOOK_SECRET\" }"),
        Key::optional("previous_secret", "{ env = \"PREVIOUS_WEBHOOK_SECRET\" }"),
        Key::optional("ca", "\"webhook-ca.pem\""),
        Key::defaulted("timeout", "\"10s\""),
    ],
};

/// Where and how an app is told what happened to its installations.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// https, or http on this machine.
    pub url: Url,
    /// What every event is signed with: one key, and while the key is changed the one before too.
    pub keys: Vec<MacKey>,
    /// Whose word is taken for the app's certificate; the machine's own authorities where there is none.
    pub authorities: Option<Authorities>,
    /// How long one delivery may take, to the status of the answer. Default 10 s.
    pub timeout: Duration,
}

/// Reads the table of a relying party. `None` when it is not written, or wrong.
pub(super) fn webhook(root: &Section, party: &Section) -> Option<Arc<Webhook>> {
    if !party.has("webhook") {
        return None;
    }
    let section = party.section("webhook", TABLE.keys);
    let url = section.read("url", address);
    let secret = section.read("secret", key);
    let previous = section.optional("previous_secret", key);
    let authorities = section.optional("ca", believed);
    let timeout = section.read("timeout", |value| value.duration(1, 60));
    let refuse = |wrong, instead: &str| section.reading.problem(&section.header, wrong, instead);
    if !root.has("vault") {
        let instead = "add [vault] with keys = [{ file = \"vault.key\" }]";
        refuse("has nowhere to keep what is to be told", instead);
    }
    if !party.has("system_user") {
        let instead = "add a table system_user beside it, or leave webhook out";
        refuse("has nothing to tell: there is no system user to install", instead);
    }
    let plain = url.as_ref().is_some_and(|url| url.scheme() == "http");
    if authorities.is_some() && plain {
        let wrong = "vouches for nobody: the address is plain http";
        section.reading.problem(&section.place("ca"), wrong, "leave it out");
    }
    let keys = [secret?].into_iter().chain(previous).collect();
    Some(Arc::new(Webhook { url: url?, keys, authorities, timeout: timeout? }))
}

/// An address of the app's: it may have a query, as some receivers know each other by one.
fn address(value: &Value) -> Option<Url> {
    let text = value.line(2_048)?;
    let Ok(url) = Url::parse(&text) else {
        return value.refuse("is not a URL", value.key.hint());
    };
    let plain_to_others = url.scheme() == "http" && !is_this_machine(&url);
    let (wrong, instead) = match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => {
            ("carries a user name or password", "leave them out: the signature is the proof")
        }
        _ if url.fragment().is_some() => ("carries a fragment", "leave out everything from #"),
        _ if plain_to_others => ("is plain http for another machine", "write https"),
        "http" | "https" if url.host_str().is_some_and(|host| !host.is_empty()) => {
            return Some(url);
        }
        _ => ("has another scheme, or no host", "write https"),
    };
    value.refuse(wrong, instead)
}

/// A secret as Standard Webhooks writes it: base64 of 24 to 64 bytes, with or without `whsec_`.
fn key(value: &Value) -> Option<MacKey> {
    let making = "put there what `openssl rand -base64 32` prints, and give the app the same";
    let text = secret(value, making)?;
    let encoded = text.reveal().trim();
    let encoded = encoded.strip_prefix("whsec_").unwrap_or(encoded);
    let Ok(bytes) = BASE64_STANDARD.decode(encoded).map(Zeroizing::new) else {
        return value.refuse("is not base64, with or without whsec_ before it", making);
    };
    match bytes.len() {
        24..=64 => Some(MacKey::new(&bytes)),
        length => value.refuse(format!("holds {length} bytes, and 24 to 64 are expected"), making),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::load_text;

    fn refused(webhook: &str) -> String {
        let xml = include_str!("../../tests/config/partner_keys/2048.xml");
        let text = format!(
            "[host.main]\norigin = \"https://app.example\"\n\
             [relying_party.main]\nenvironment = \"sod\"\nclient_id = \"c\"\n\
             client_secret = {{ value = \"s\" }}\n\
             [relying_party.main.system_user]\nkey = {{ value = '''{xml}''' }}\n\
             [relying_party.main.webhook]\n{webhook}\n\
             [route.app]\nupstream = \"http://127.0.0.1:3000\"\n\
             [vault]\nkeys = [{{ value = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }}]\n\
             [session]\nkeys = [{{ value = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }}]\n"
        );
        let loaded = load_text(&text, "gateway.toml", Path::new(""), &|_| None);
        loaded.err().map(|problems| problems.to_string()).unwrap_or_default()
    }

    const SECRET: &str = "secret = { value = \"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\" }";

    #[test]
    fn only_https_or_this_machine_is_told() {
        for good in ["https://app.example/in?x=1", "http://127.0.0.1:3000/", "http://localhost/in"]
        {
            assert_eq!(refused(&format!("url = \"{good}\"\n{SECRET}")), "", "{good}");
        }
        for bad in [
            "http://app.example/in",
            "ftp://app.example/in",
            "https://user:word@app.example/",
            "https://app.example/#in",
            "app.example",
            "https://",
        ] {
            let refused = refused(&format!("url = \"{bad}\"\n{SECRET}"));
            assert!(refused.contains("webhook.url"), "{bad}: {refused}");
            assert!(!refused.contains("user:word"), "{refused}");
        }
    }

    #[test]
    fn a_secret_is_base64_of_24_bytes_at_least() {
        let url = "url = \"https://app.example/in\"";
        for (bad, why) in [
            ("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=", "holds 23 bytes, and 24 to 64 are expected"),
            ("a long pass phrase that somebody made up", "is not base64"),
        ] {
            let refused = refused(&format!("{url}\nsecret = {{ value = \"{bad}\" }}"));
            assert!(refused.contains(why) && refused.contains("openssl rand"), "{refused}");
            assert!(!refused.contains(bad), "{refused}");
        }
    }
}
