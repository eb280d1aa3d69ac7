//! One call of the million: who calls whom, for what, and what may come of it.

use std::fmt;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::connection::Answer;
use crate::counts::Outcome;
use crate::dice::Dice;
use crate::world::{APPS, BUSY, World, proof};

pub struct Call<'w> {
    world: &'w World,
    number: u64,
    /// Whose listener it goes to, by its number.
    app: usize,
    tenant: usize,
    caller: usize,
    kind: Kind,
    /// The caller is one of the other app's.
    stranger: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Principal,
    Contact,
    /// A new contact, which is answered with the tenant's own name.
    Write,
    /// A document, which comes back as it was sent.
    Echo,
}

impl<'w> Call<'w> {
    /// Call `number` to the listener of `app`: fifty calls one after another are for one tenant, by
    /// all its callers. One in twenty is for a busy tenant instead.
    pub fn new(world: &'w World, app: usize, number: u64) -> Self {
        let mut dice = Dice::new(number);
        let callers = world.plan.callers as u64;
        let in_order = (number / callers).wrapping_mul(LEAP) % world.tenants.len() as u64;
        let tenant = if dice.below(20) == 0 { dice.below(BUSY) } else { in_order as usize };
        let kind = match dice.below(10) {
            0 => Kind::Write,
            1 => Kind::Echo,
            2 | 3 => Kind::Contact,
            _ => Kind::Principal,
        };
        Self {
            world,
            number,
            app,
            tenant,
            caller: (number % callers) as usize,
            kind,
            stranger: dice.below(200) == 0,
        }
    }

    pub fn request(&self) -> Request<Full<Bytes>> {
        let ctx = self.ctx();
        // SuperOffice writes tenants' names in either case, and so may callers.
        let named =
            if self.number.is_multiple_of(7) { ctx.to_ascii_lowercase() } else { ctx.to_owned() };
        let (method, path) = match self.kind {
            Kind::Principal => ("GET", "User/currentPrincipal"),
            Kind::Contact => ("GET", "Contact/7?$select=name"),
            Kind::Write => ("POST", "Contact"),
            Kind::Echo => ("POST", "Document/7/Content"),
        };
        let from = if self.stranger { 1 - self.app } else { self.app };
        Request::builder()
            .method(method)
            .uri(format!("/{named}/api/v1/{path}"))
            .header("host", "jobs.test")
            .header("authorization", proof(&APPS[from], self.caller))
            .body(Full::new(self.body()))
            .unwrap()
    }

    /// What an answer means; an error where it should never have come.
    pub fn judge(&self, answer: &Answer) -> Result<Outcome, String> {
        let told = |why: &str| {
            let body = String::from_utf8_lossy(&answer.body[..answer.body.len().min(300)]);
            Err(format!("{self:?}: {why}: {} {body}", answer.status))
        };
        let wanted = match (self.stranger, self.world.may_call(self.caller, self.tenant)) {
            (true, _) => Some("caller_unknown"),
            (false, false) => Some("tenant_not_allowed"),
            (false, true) => None,
        };
        if wanted != answer.refusal().filter(|word| OF_CALLERS.contains(word)) {
            return told("not what the caller may expect");
        }
        if names_another(&answer.body, self.ctx()) {
            return told("an answer of another tenant");
        }
        let status = answer.status.as_u16();
        match answer.refusal() {
            Some(word) if wanted.is_some() || OF_WEATHER.contains(&word) => {
                Ok(Outcome::Refused(word.to_owned()))
            }
            Some(word) => told(&format!("an unexpected refusal, {word}")),
            None if status == 200 && !self.is_answered_by(&answer.body) => {
                told("an answer that is not this call's")
            }
            None if status == 200 => Ok(Outcome::Answered),
            None if OF_TENANTS.contains(&status) => Ok(Outcome::FromTenant(status)),
            None => told("an unexpected status"),
        }
    }

    fn is_answered_by(&self, body: &Bytes) -> bool {
        match self.kind {
            Kind::Echo => *body == self.body(),
            Kind::Principal | Kind::Contact | Kind::Write => {
                String::from_utf8_lossy(body).contains(&format!("\"{}\"", self.ctx()))
            }
        }
    }

    fn body(&self) -> Bytes {
        match self.kind {
            Kind::Principal | Kind::Contact => Bytes::new(),
            Kind::Write => format!("{{\"Remark\":\"{}\"}}", self.number).into(),
            Kind::Echo => format!("{} {}", self.ctx(), self.number).repeat(1 + self.caller).into(),
        }
    }

    fn ctx(&self) -> &'w str {
        &self.world.tenants[self.tenant]
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, stranger) = (self.caller, if self.stranger { ", a stranger" } else { "" });
        write!(out, "call {} ({:?} of {} by {from}{stranger})", self.number, self.kind, self.ctx())
    }
}

/// Whether a text names a tenant besides this one.
fn names_another(body: &[u8], ctx: &str) -> bool {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    let own = ctx.to_ascii_lowercase();
    text.match_indices("cust1").any(|(at, _)| !text[at..].starts_with(&own))
}

/// Coprime to the number of tenants, so that each has its turn and neighbours differ.
const LEAP: u64 = 183;
/// What a caller hears who may not call.
const OF_CALLERS: [&str; 2] = ["caller_unknown", "tenant_not_allowed"];
/// What the weather makes of calls.
const OF_WEATHER: [&str; 9] = [
    "consent_revoked",
    "super_id_unreachable",
    "system_user_refused",
    "tenant_deleted",
    "tenant_maintenance",
    "tenant_suspended",
    "tenant_unknown",
    "tenant_unreachable",
    "too_many_exchanges",
];
/// What tenants themselves say in bad weather, and is passed on.
const OF_TENANTS: [u16; 7] = [401, 403, 404, 421, 429, 500, 503];
