//! How tenants stand: what the vault has of them, and their tickets; never a token, never a ticket.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::config::Settings;
use crate::credentials::{SystemUsers, TicketState, TicketStatus};
use crate::crypto::SealedBy;
use crate::gateway::Site;
use crate::identity::{ContextId, TenantKey};
use crate::vault::{Listed, Name, Summary, Unopened, Vault, VaultFailed};

use super::asked::Asked;
use super::reply::{Done, Refusal};

/// A page of tenants, in order of environment, client id and tenant.
///
/// # Errors
/// The vault cannot be asked, or the cursor is none of ours.
pub(super) async fn list(site: &Site, query: Option<&str>) -> Result<Done, Refusal> {
    let asked = Asked::read(query, &["tenant", "limit", "after"])?;
    let after = asked.after.as_deref().map(cursor).transpose()?;
    let mut rows = Rows { after, ..Rows::default() };
    let failed = |failed: VaultFailed| Refusal::unavailable("the vault", &failed);
    rows.take_tickets(&site.users, asked.tenant.as_ref());
    if let Some(vault) = site.users.vault() {
        match &asked.tenant {
            Some(tenant) => rows.take_tenant(vault, &site.settings, tenant).await,
            None => rows.take_vault(vault, asked.limit).await,
        }
        .map_err(failed)?;
    }
    let more = rows.by_name.len() > asked.limit || rows.is_cut;
    let page: Vec<(Name, Row)> = rows.by_name.into_iter().take(asked.limit).collect();
    let next = page.last().filter(|_| more).map(|(name, _)| name.to_string());
    let tenants: Vec<Value> = page.iter().map(|(name, row)| told(name, row)).collect();
    Ok(Done::of(json!({ "tenants": tenants, "next": next }), asked.detail()))
}

#[derive(Default)]
struct Rows {
    after: Option<Name>,
    by_name: BTreeMap<Name, Row>,
    /// There are more entries in the vault than were taken.
    is_cut: bool,
}

/// What is known of one.
#[derive(Default)]
struct Row {
    entry: Option<Result<Summary, Unopened>>,
    ticket: Option<TicketStatus>,
}

impl Rows {
    fn take_tickets(&mut self, users: &SystemUsers, tenant: Option<&ContextId>) {
        for status in users.tickets().status(usize::MAX) {
            let name = Name::from(&status.key);
            let asked = tenant.is_none_or(|tenant| *tenant == status.key.tenant);
            if asked && self.after.as_ref().is_none_or(|after| name > *after) {
                self.by_name.entry(name).or_default().ticket = Some(status);
            }
        }
    }

    /// Of one tenant, with each relying party of the configuration: the vault is in order of those first.
    async fn take_tenant(
        &mut self,
        vault: &Vault,
        settings: &Settings,
        tenant: &ContextId,
    ) -> Result<(), VaultFailed> {
        for party in &settings.relying_parties {
            let key = SystemUsers::key(party, tenant);
            let name = Name::from(&key);
            if self.after.as_ref().is_some_and(|after| name <= *after) {
                continue;
            }
            if let Some(found) = looked(vault, &key).await? {
                self.by_name.entry(name).or_default().entry = Some(found);
            }
        }
        Ok(())
    }

    /// As many as a page has room for. What lies behind the last of them is for the next page.
    async fn take_vault(&mut self, vault: &Vault, limit: usize) -> Result<(), VaultFailed> {
        let page = vault.list(self.after.clone()).await?;
        self.is_cut = page.items.len() > limit;
        let last = page.items.get(limit.saturating_sub(1)).filter(|_| self.is_cut);
        let last = last.map(|listed| listed.name.clone());
        for Listed { name, found } in page.items.into_iter().take(limit) {
            self.by_name.entry(name).or_default().entry = Some(found);
        }
        if let Some(last) = last {
            self.by_name.retain(|name, _| *name <= last);
        }
        Ok(())
    }
}

/// One entry; an entry that does not open is told as such.
async fn looked(
    vault: &Vault,
    key: &TenantKey,
) -> Result<Option<Result<Summary, Unopened>>, VaultFailed> {
    match vault.look(key).await {
        Ok(entry) => Ok(entry.map(|entry| Ok(entry.summary(SealedBy::First)))),
        Err(VaultFailed::Entry { why, .. }) => Ok(Some(Err(why))),
        Err(other) => Err(other),
    }
}

fn told(name: &Name, row: &Row) -> Value {
    json!({
        "environment": name.environment,
        "client_id": name.client_id,
        "tenant": name.tenant,
        "vault": row.entry.as_ref().map(entry),
        "ticket": row.ticket.as_ref().map(ticket),
    })
}

fn entry(found: &Result<Summary, Unopened>) -> Value {
    match found {
        Ok(summary) => json!({
            "state": if summary.dormant.is_some() { "dormant" } else { "there" },
            "serial": summary.serial,
            "web_api_url": summary.web_api_url,
            "consented_by": summary.consented_by,
            "stored": summary.stored.0,
            "dormant_since": summary.dormant.map(|since| since.0),
        }),
        Err(why) => json!({ "state": "unopened", "problem": why.to_string() }),
    }
}

fn ticket(status: &TicketStatus) -> Value {
    let refused = match &status.state {
        TicketState::LivingUnrenewed(why) | TicketState::Refused(why) => Some(why),
        TicketState::Buying | TicketState::Empty | TicketState::Living => None,
    };
    json!({
        "state": status.state.name(),
        "age": status.age,
        "idle": status.idle,
        "exchanges": status.exchanges,
        "reason": refused.map(|why| why.name()),
        "retry_after": refused.map(|why| why.retry_after()),
    })
}

/// A client id may hold a slash; an environment's name and a tenant's do not.
fn cursor(text: &str) -> Result<Name, Refusal> {
    let name = text.split_once('/').and_then(|(environment, rest)| {
        let (client_id, tenant) = rest.rsplit_once('/')?;
        let [environment, client_id, tenant] = [environment, client_id, tenant].map(str::to_owned);
        Some(Name { environment, client_id, tenant })
    });
    name.ok_or_else(|| Refusal::bad_request("after is not what next said"))
}
