//! `[relying_party.NAME.system_user]`: what system user tickets are bought with.

use std::sync::Arc;

use crate::crypto::{CannotSign, PartnerKey, SigningKey, WeakKeys};

use super::secret_source::secret;
use super::section::Section;
use super::value::Value;
use super::{Environment, Key, Table};

pub(super) const TABLE: Table = Table {
    header: "relying_party.NAME.system_user",
    keys: &[
        Key::required("key", "{ file = \"partner-key.xml\" }"),
        Key::optional("passphrase", "{ env = \"PARTNER_KEY_PASSPHRASE\" }"),
        Key::defaulted("protocol", "\"rest\""),
        Key::defaulted("weak_key", "\"refused\""),
    ],
};

/// A registration that may act as the tenants' system user (`superid.md` §5).
#[derive(Clone, Debug)]
pub struct SystemUser {
    /// Signs system user tokens; checked to hold together.
    pub key: SigningKey,
    pub protocol: SystemUserProtocol,
}

/// How SuperID's PartnerSystemUser service is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemUserProtocol {
    /// JSON.
    Rest,
    /// SOAP 1.1.
    Soap,
}

/// Reads the table of a relying party in an environment. `None` when it is not written, or wrong.
pub(super) fn system_user(
    party: &Section,
    environment: Option<&Environment>,
) -> Option<Arc<SystemUser>> {
    if !party.has("system_user") {
        return None;
    }
    let section = party.section("system_user", TABLE.keys);
    let passphrase = section.optional("passphrase", |value| secret(value, PASSPHRASE_MISSING));
    let weak = section.read("weak_key", |value| {
        value.choice(&[("refused", WeakKeys::Refused), ("accepted", WeakKeys::Accepted)])
    });
    let protocol = section.read("protocol", |value| {
        value.choice(&[("rest", SystemUserProtocol::Rest), ("soap", SystemUserProtocol::Soap)])
    });
    // Without its pass phrase the key would only be found wanting a second time.
    let sound = passphrase.is_some() || !section.has("passphrase");
    let key = section.read("key", |value| {
        let text = secret(value, "put the private key from SuperOffice there")?;
        let read = PartnerKey::read(text.reveal(), passphrase.as_ref());
        match read {
            Ok(key) => signing(value, &key, weak?),
            Err(_) if !sound => None,
            Err(refused) => value.refuse(refused.to_string(), refused.instead()),
        }
    });
    refuse_without_addresses(&section, environment?, protocol?);
    Some(Arc::new(SystemUser { key: key?, protocol: protocol? }))
}

fn signing(value: &Value, key: &PartnerKey, weak: WeakKeys) -> Option<SigningKey> {
    match key.signing(weak) {
        Ok(signing) => {
            if key.is_weak() {
                let wrong = format!("the key has {} bits, which is too few to trust", key.bits());
                value.reading.warn(&value.place, wrong, NEW_KEY);
            }
            Some(signing)
        }
        Err(refused @ CannotSign::Inconsistent) => {
            value.refuse(refused.to_string(), "copy the key again, whole and unchanged")
        }
        Err(refused @ CannotSign::Weak { .. }) => value.refuse(
            refused.to_string(),
            format!(
                "{NEW_KEY}; until you have it, write weak_key = \"accepted\" and use a build with \
                 the feature weak-partner-keys"
            ),
        ),
        Err(refused @ CannotSign::WeakBuild { .. }) => value.refuse(
            refused.to_string(),
            format!("{NEW_KEY}, or build with --features weak-partner-keys until you have it"),
        ),
    }
}

/// SuperOffice's own environments have every address; a custom one may not.
fn refuse_without_addresses(
    section: &Section,
    environment: &Environment,
    protocol: SystemUserProtocol,
) {
    let (name, url) = match protocol {
        SystemUserProtocol::Rest => ("system_user_url", &environment.system_user_url),
        SystemUserProtocol::Soap => ("system_user_soap_url", &environment.system_user_soap_url),
    };
    let state = environment.tenant_state_url.is_none().then_some("tenant_state_url");
    for missing in url.is_none().then_some(name).into_iter().chain(state) {
        let at = format!("[environment.{}]", environment.name);
        section.reading.problem(
            &section.header,
            format!("cannot be used: {at} has no {missing}"),
            format!("write {missing} there"),
        );
    }
}

const PASSPHRASE_MISSING: &str = "put the pass phrase of the key there";
const NEW_KEY: &str = "ask SuperOffice for a key of 2,048 bits or more";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Loaded, Problems, load_text};

    fn load(weak: &str) -> Result<Loaded, Problems> {
        let xml = include_str!("../../tests/config/partner_keys/1024.xml");
        let text = format!(
            "[host.main]\norigin = \"https://app.example\"\n\
             [relying_party.main]\nenvironment = \"sod\"\nclient_id = \"c\"\n\
             client_secret = {{ value = \"s\" }}\n\
             [relying_party.main.system_user]\nweak_key = \"{weak}\"\n\
             key = {{ value = '''{xml}''' }}\n\
             [route.app]\nupstream = \"http://127.0.0.1:3000\"\n\
             [session]\nkeys = [{{ value = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }}]\n"
        );
        load_text(&text, "gateway.toml", Path::new(""), &|_| None)
    }

    fn refused(weak: &str) -> String {
        load(weak).err().map(|problems| problems.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_weak_key_is_refused_unless_somebody_says_otherwise() {
        let refused = refused("refused");
        assert!(refused.contains("system_user.key: the key has 1024 bits"), "{refused}");
        assert!(refused.contains("write weak_key = \"accepted\" and use a build"), "{refused}");
    }

    #[cfg(not(feature = "weak-partner-keys"))]
    #[test]
    fn a_build_without_the_means_says_which_build_has_them() {
        let refused = refused("accepted");
        assert!(refused.contains("build with --features weak-partner-keys"), "{refused}");
    }

    #[cfg(feature = "weak-partner-keys")]
    #[test]
    fn an_accepted_weak_key_loads_with_a_warning() {
        let loaded = load("accepted").unwrap_or_else(|problems| panic!("{problems}"));
        let [warning] = &loaded.warnings[..] else { panic!("{:?}", loaded.warnings) };
        assert_eq!(warning.key, "relying_party.main.system_user.key");
        let party = &loaded.settings.relying_parties[0];
        assert!(party.system_user.as_ref().is_some_and(|user| user.key.bits() == 1024));
    }
}
