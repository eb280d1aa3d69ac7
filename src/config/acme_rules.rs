//! What must hold between certificates that are ordered, their accounts and the listeners.

use std::sync::Arc;

use super::section::{Named, Section};
use super::{AcmeAccount, AcmeChallenge, Listener, Ordered, TlsFiles, acme, certificate};

/// Every certificate that is ordered. An authority that cannot ask us hands nothing out.
pub(super) fn ordered(
    root: &Section,
    accounts: &Named<AcmeAccount>,
    certificates: &Named<TlsFiles>,
    listeners: &[Listener],
) -> Option<Vec<Arc<Ordered>>> {
    let sound = certificates.sound();
    let ordered: Vec<_> = sound.iter().filter_map(|files| files.ordered.clone()).collect();
    let tables = root.named("certificate", certificate::TABLE.keys);
    for one in &ordered {
        let Some((_, section)) = tables.iter().find(|(name, _)| *name == one.name) else {
            continue;
        };
        if let Err((wrong, instead)) = is_asked(one.challenge, listeners) {
            section.reading.problem(&section.place("challenge"), wrong, instead);
        }
    }
    for (name, section) in root.named("acme", acme::TABLE.keys) {
        let is_used = tables.iter().any(|(_, certificate)| {
            let named = certificate.optional("acme", |value| value.text().map(str::to_owned));
            named.as_deref() == Some(&name)
        });
        if !is_used && accounts.entries.contains_key(&name) {
            let wrong = "no certificate is ordered with this account";
            let instead = format!("write acme = \"{name}\" and hosts in a [certificate.NAME]");
            section.reading.warn(&section.header, wrong, instead);
        }
    }
    certificates.all()?;
    Some(ordered)
}

/// Whether a listener is there that answers the challenge.
fn is_asked(
    challenge: AcmeChallenge,
    listeners: &[Listener],
) -> Result<(), (&'static str, &'static str)> {
    match challenge {
        AcmeChallenge::Http01 if listeners.iter().all(|one| one.tls.is_some()) => Err((
            "http-01 is asked for without TLS, and no [listener.NAME] is plain",
            "add a listener on port 80 with redirect_to_https = true, or write \"tls-alpn-01\"",
        )),
        AcmeChallenge::TlsAlpn01 if listeners.iter().all(|one| one.tls.is_none()) => Err((
            "tls-alpn-01 is asked for in TLS, and no [listener.NAME] has any",
            "give the listener on port 443 named_certificate, or write \"http-01\"",
        )),
        AcmeChallenge::Http01 | AcmeChallenge::TlsAlpn01 => Ok(()),
    }
}
