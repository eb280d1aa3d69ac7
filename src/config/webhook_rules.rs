//! What holds among webhooks, and between them and the vault.

use std::sync::Arc;

use super::section::Section;
use super::{RelyingParty, Vault, VaultPlace};

/// Each registration has one webhook at most, and events outlive the process.
pub(super) fn check(root: &Section, parties: &[Arc<RelyingParty>], vault: Option<&Vault>) {
    let telling: Vec<&Arc<RelyingParty>> =
        parties.iter().filter(|party| party.webhook.is_some()).collect();
    for (index, party) in telling.iter().enumerate() {
        let same = |other: &&&Arc<RelyingParty>| {
            other.client_id == party.client_id && other.authority.name() == party.authority.name()
        };
        if let Some(other) = telling[..index].iter().find(same) {
            root.reading.problem(
                &root.place("relying_party"),
                format!("{} and {} are one app, and both have a webhook", other.name, party.name),
                "leave one of the two out: each event is told once",
            );
        }
    }
    let in_memory = vault.is_some_and(|vault| vault.place == VaultPlace::Memory);
    if let (Some(party), true) = (telling.first(), in_memory) {
        root.reading.warn(
            &root.place("vault"),
            format!("what {}'s webhook has not taken is lost when the process ends", party.name),
            "write place = \"file\"",
        );
    }
}
