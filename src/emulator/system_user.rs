//! The exchange of a signed system token for a token with a ticket in it (`superid.md` §5).

use std::time::{Duration, SystemTime};

use base64::prelude::{BASE64_STANDARD, Engine};
use time::{Date, Month, PrimitiveDateTime, Time};

use super::answer::Answer;
use super::apps::App;
use super::claims;
use super::consents::Standing;
use super::faults::SystemUserLie;
use super::mint::{self, Draft};
use super::partner_keys;
use super::state::TenantState;
use super::tenancy::Tenancy;
use super::world::World;

/// What is asked, by REST and by SOAP alike.
pub(super) struct Asked {
    pub(super) signed_system_token: String,
    /// The client secret: the prose says client id, every working sample sends the secret.
    pub(super) application_token: String,
    pub(super) context_identifier: String,
    /// `JWT` or `Saml`, in any case.
    pub(super) return_token_type: String,
}

/// What is answered, always with HTTP 200.
pub(super) struct Outcome {
    pub(super) client_id: Option<String>,
    /// The token, or what `ErrorMessage` says; success without a token is a lie of ours.
    pub(super) result: Result<Option<String>, String>,
}

/// SuperOffice's authorization errors (`superid.md` §2). That this service's `ErrorMessage` has
/// their usual wording is inferred; no sample of it is published.
const REVOKED: &str = "Authorization error: Revoked (1)";
const DENIED: &str = "Authorization error: Denied (4)";
const NEEDS_REAPPROVAL: &str = "Authorization error: NeedsReapproval (5)";
const INVALID_TIMESTAMP: &str = "Authorization error: InvalidTimestamp (6)";
const INVALID_SIGNATURE: &str = "Authorization error: InvalidSignature (7)";
const UNKNOWN_TENANT: &str = "Unknown context identifier";
const NO_SAML: &str = "This emulator makes no SAML tokens; ask for JWT";

/// Less than this may lie between the token's minute and ours, either way.
const DRIFT: Duration = Duration::from_secs(15 * 60);

/// Judges a request and counts it, once app and tenant are known.
pub(super) fn exchange(world: &World, asked: &Asked) -> Outcome {
    let tenancy = world.tenancies.find(&asked.context_identifier);
    let Some(app) = &app(world, tenancy, asked) else {
        return Outcome { client_id: None, result: Err(DENIED.into()) };
    };
    let client_id = Some(app.client_id.clone());
    let living = |tenancy: &&Tenancy| tenancy.situation().state != TenantState::Deleted;
    let Some(tenancy) = tenancy.filter(living) else {
        return Outcome { client_id, result: Err(UNKNOWN_TENANT.into()) };
    };
    let result = check(world, app, tenancy, asked)
        .map_err(str::to_owned)
        .and_then(|()| token(world, app, tenancy));
    let (id, ctx) = (&app.client_id, &tenancy.tenant.ctx);
    match &result {
        Ok(_) => world.exchanges.grant(id, ctx, world.now()),
        Err(_) => world.exchanges.refuse(id, ctx),
    }
    Outcome { client_id, result }
}

impl Outcome {
    /// Tells the journal who it was and why not.
    pub(super) fn noted(self, answer: Answer) -> Answer {
        let answer = match self.result {
            Ok(_) => answer,
            Err(message) => answer.refused(message),
        };
        match self.client_id {
            Some(client_id) => answer.for_client(&client_id),
            None => answer,
        }
    }
}

/// The app with this secret; where a test gave several the same, the one whose token it is.
fn app(world: &World, tenancy: Option<&Tenancy>, asked: &Asked) -> Option<App> {
    let mut apps = world.apps.with_secret(&asked.application_token);
    let token = asked.signed_system_token.split('.').next().unwrap_or_default();
    let owner = apps.iter().position(|app| {
        let standing = tenancy.map(|at| world.consents.standing(app, &at.tenant.ctx, token));
        standing.is_some_and(|standing| standing != Standing::Unknown)
    });
    (!apps.is_empty()).then(|| apps.swap_remove(owner.unwrap_or(0)))
}

fn check(world: &World, app: &App, tenancy: &Tenancy, asked: &Asked) -> Result<(), &'static str> {
    // Three parts and no more, as SuperOffice's own verifier of such tokens wants them.
    let parts: Vec<&str> = asked.signed_system_token.split('.').collect();
    let [system_token, minute, signature] = parts[..] else {
        return Err(INVALID_SIGNATURE);
    };
    let signed_at = read_minute(minute).ok_or(INVALID_TIMESTAMP)?;
    if apart(world.now(), signed_at) >= DRIFT {
        return Err(INVALID_TIMESTAMP);
    }
    let signature = BASE64_STANDARD.decode(signature).map_err(|_| INVALID_SIGNATURE)?;
    let message = format!("{system_token}.{minute}");
    if !partner_keys::any_has_signed(&app.system_user_keys, message.as_bytes(), &signature) {
        return Err(INVALID_SIGNATURE);
    }
    match world.consents.standing(app, &tenancy.tenant.ctx, system_token) {
        Standing::Unknown => Err(DENIED),
        Standing::NeedsReapproval => Err(NEEDS_REAPPROVAL),
        Standing::Withdrawn => Err(REVOKED),
        Standing::Good if !asked.return_token_type.eq_ignore_ascii_case("jwt") => Err(NO_SAML),
        Standing::Good => Ok(()),
    }
}

fn token(world: &World, app: &App, tenancy: &Tenancy) -> Result<Option<String>, String> {
    let lie = world.faults.system_user_lie(&tenancy.tenant.ctx);
    match lie {
        Some(SystemUserLie::NoToken) => return Ok(None),
        Some(SystemUserLie::Refusal { message }) => return Err(message),
        _ => {}
    }
    let draft = mint::draft(world, claims::system_user(world, app, &tenancy.tenant));
    let draft = match lie {
        Some(lie) => bent(world, app, tenancy, draft, &lie),
        None => draft,
    };
    Ok(Some(draft.sign()))
}

/// The token with one thing wrong about it.
fn bent(world: &World, app: &App, tenancy: &Tenancy, draft: Draft, lie: &SystemUserLie) -> Draft {
    let other = world.tenancies.other_than(&tenancy.tenant.ctx).unwrap_or(tenancy);
    let elsewhere = || claims::system_user(world, app, &other.tenant);
    let now = super::clock::unix_seconds(world.now());
    let audience = format!("spn:{}", other.tenant.serial);
    match lie {
        SystemUserLie::BadSignature => draft.by_stranger(&world.keys),
        SystemUserLie::Expired => draft.claim("nbf", now - 3960).claim("exp", now - 3600),
        SystemUserLie::NoTicket => draft.without_own_claim("ticket"),
        SystemUserLie::NotYet => draft.claim("nbf", now + 3600).claim("exp", now + 3960),
        SystemUserLie::TicketOfAnother => {
            let name = format!("{}ticket", claims::CLAIM_PREFIX);
            let ticket = elsewhere().into_iter().find(|(known, _)| *known == name);
            draft.own_claim("ticket", ticket.map(|(_, ticket)| ticket).unwrap_or_default())
        }
        SystemUserLie::WrongAudience => draft.claim("aud", audience),
        SystemUserLie::WrongContext => draft.own_claim("ctx", other.tenant.ctx.as_str()),
        SystemUserLie::WrongIssuer => draft.claim("iss", world.base.as_str()),
        SystemUserLie::WrongSerial => {
            draft.claim("aud", audience).own_claim("serial", other.tenant.serial.as_str())
        }
        SystemUserLie::NoToken | SystemUserLie::Refusal { .. } => draft,
    }
}

/// `yyyyMMddHHmm` in UTC.
fn read_minute(text: &str) -> Option<SystemTime> {
    if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let two = |from: usize| text[from..from + 2].parse::<u8>().ok();
    let month = Month::try_from(two(4)?).ok()?;
    let date = Date::from_calendar_date(text[..4].parse().ok()?, month, two(6)?).ok()?;
    let time = Time::from_hms(two(8)?, two(10)?, 0).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().into())
}

fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|error| error.duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_read_as_utc() {
        let read = read_minute("202311142213").unwrap();
        assert_eq!(read, SystemTime::UNIX_EPOCH + Duration::from_secs(1_699_999_980));
        for wrong in ["", "20231114221", "2023111422130", "202313142213", "2023111422é"] {
            assert_eq!(read_minute(wrong), None, "{wrong}");
        }
    }
}
