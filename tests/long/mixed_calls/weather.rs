//! What happens to tenants and to SuperID meanwhile.

use std::collections::VecDeque;

use superid_gateway::emulator::{Fault, Kind, StateLie, SystemUserLie, TenantState};

use crate::dice::Dice;
use crate::world::{APPS, BUSY, HOSTS, World};

pub struct Weather {
    dice: Dice,
    changes: u64,
    /// What ends at which change.
    ends: VecDeque<(u64, End)>,
    told: [u64; 8],
}

enum End {
    Closed(usize),
    Fault(Fault),
    Revoked(usize, usize),
}

impl Weather {
    pub fn new() -> Self {
        Self { dice: Dice::new(SEED), changes: 0, ends: VecDeque::new(), told: [0; 8] }
    }

    /// Ends what is over, and has one more thing happen.
    pub fn change(&mut self, world: &World) {
        self.changes += 1;
        self.end_what_is_over(world);
        let among = if self.dice.below(4) == 0 { BUSY } else { world.tenants.len() };
        let tenant = self.dice.below(among);
        let ctx = &world.tenants[tenant];
        let tenants = world.superid.tenants();
        match self.dice.below(11) {
            0..4 => {
                let host = 1 + self.dice.below(usize::from(HOSTS));
                tenants.move_tenant(ctx, host).unwrap();
                self.told[0] += 1;
            }
            4 | 5 => {
                tenants.kill_tickets(ctx);
                self.told[1] += 1;
            }
            6 => {
                let app = self.dice.below(APPS.len());
                tenants.revoke_consent(APPS[app].client_id, ctx).unwrap();
                self.last(LONG, End::Revoked(app, tenant));
                self.told[2] += 1;
            }
            7 => {
                tenants.set_state(ctx, *self.dice.pick(&STATES)).unwrap();
                self.last(LONG, End::Closed(tenant));
                self.told[3] += 1;
            }
            8 => {
                let times = 1 + self.dice.below(3) as u64;
                tenants.answer_next(ctx, *self.dice.pick(&ANSWERS), times).unwrap();
                self.told[4] += 1;
            }
            9 => {
                let lie = self.lie(ctx);
                self.fault(world, LONG, lie);
                self.told[6] += 1;
            }
            _ => {
                let fault = self.dice.pick(&FAULTS).clone();
                self.fault(world, SHORT, fault);
                self.told[5] += 1;
            }
        }
    }

    /// Faults do not outlast a turn; the rest does. Now and then SuperID signs by another key from
    /// here on.
    pub fn calm(&mut self, world: &World) {
        world.superid.faults().clear();
        self.ends.retain(|(_, end)| !matches!(end, End::Fault(_)));
        if self.dice.below(10) == 0 {
            world.superid.keys().rotate();
            self.told[7] += 1;
        }
    }

    /// Seconds until the next turn: mostly minutes, sometimes an hour or so, and sometimes more than
    /// a ticket lives.
    pub fn pause(&mut self) -> u64 {
        match self.dice.below(10) {
            0 => 6 * 3_600 + 1_800,
            1 | 2 => 900 + self.dice.roll() % 3_600,
            _ => 20 + self.dice.roll() % 300,
        }
    }

    pub fn told(&self) -> String {
        let [moved, killed, revoked, closed, planned, failed, lied, rotated] = self.told;
        format!(
            "weather: {moved} moves, {killed} times tickets killed, {revoked} consents withdrawn, \
             {closed} tenants closed, {planned} odd answers, {failed} faults, {lied} lies, {rotated} new keys"
        )
    }

    fn lie(&mut self, ctx: &str) -> Fault {
        let ctx = Some(ctx.to_owned());
        match self.dice.below(STATE_LIES + USER_LIES.len()) {
            0 => Fault::StateLie { ctx, lie: StateLie::OtherTenant },
            1 => Fault::StateLie { ctx, lie: StateLie::OtherContext },
            2 => {
                let origin = "http://127.0.0.1:9".to_owned();
                Fault::StateLie { ctx, lie: StateLie::Elsewhere { origin } }
            }
            other => Fault::SystemUserLie { ctx, lie: USER_LIES[other - STATE_LIES].clone() },
        }
    }

    fn fault(&mut self, world: &World, changes: u64, fault: Fault) {
        world.superid.faults().set(fault.clone());
        self.last(changes, End::Fault(fault));
    }

    fn last(&mut self, changes: u64, end: End) {
        self.ends.push_back((self.changes + changes, end));
    }

    fn end_what_is_over(&mut self, world: &World) {
        let now = self.changes;
        let over = |(when, _): &(u64, End)| *when <= now;
        let (ended, going): (Vec<_>, Vec<_>) = self.ends.drain(..).partition(over);
        self.ends = going.into();
        for (_, end) in ended {
            let tenants = world.superid.tenants();
            match end {
                End::Closed(tenant) => {
                    tenants.set_state(&world.tenants[tenant], TenantState::Running).unwrap();
                }
                End::Fault(fault) => world.superid.faults().end(&fault),
                End::Revoked(app, tenant) => {
                    tenants.restore_consent(APPS[app].client_id, &world.tenants[tenant]).unwrap()
                }
            }
        }
    }
}

const SEED: u64 = 20_261_121;
/// Changes that a fault of all lasts, and what befalls one tenant.
const SHORT: u64 = 1;
const LONG: u64 = 12;
const STATES: [TenantState; 7] = [
    TenantState::Deleted,
    TenantState::MigrationPending,
    TenantState::OfflineMaintenance,
    TenantState::OnlineMaintenance,
    TenantState::Provisioning,
    TenantState::Suspended,
    TenantState::Unknown,
];
const ANSWERS: [u16; 5] = [401, 403, 421, 500, 503];
const STATE_LIES: usize = 3;
const USER_LIES: [SystemUserLie; 6] = [
    SystemUserLie::TicketOfAnother,
    SystemUserLie::WrongContext,
    SystemUserLie::WrongAudience,
    SystemUserLie::WrongSerial,
    SystemUserLie::BadSignature,
    SystemUserLie::NoTicket,
];
const FAULTS: [Fault; 12] = [
    Fault::Status { endpoint: Kind::SystemUser, code: 503 },
    Fault::DropConnection { endpoint: Kind::SystemUser },
    Fault::Garbage { endpoint: Kind::SystemUser },
    Fault::Slow { endpoint: Kind::SystemUser, milliseconds: 30 },
    Fault::Status { endpoint: Kind::TenantState, code: 500 },
    Fault::DropConnection { endpoint: Kind::TenantState },
    Fault::Garbage { endpoint: Kind::TenantState },
    Fault::Slow { endpoint: Kind::TenantState, milliseconds: 30 },
    Fault::Status { endpoint: Kind::WebApi, code: 503 },
    Fault::Status { endpoint: Kind::WebApi, code: 429 },
    Fault::DropConnection { endpoint: Kind::WebApi },
    Fault::Slow { endpoint: Kind::WebApi, milliseconds: 10 },
];
