//! How each tenant fares right now: its state, its home, and what its web API is about to do.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::seed::{Seed, Tenant};
use super::state::TenantState;

/// Every tenant by its context identifier in lower case. The list never changes, so that finding
/// one takes no lock; each tenant has a lock of its own.
pub(super) struct Tenancies {
    all: HashMap<String, Tenancy>,
    order: Vec<String>,
}

pub(super) struct Tenancy {
    pub(super) tenant: Tenant,
    calls: AtomicU64,
    situation: Mutex<Situation>,
}

/// What can change about a tenant.
#[derive(Clone, Debug)]
pub(super) struct Situation {
    pub(super) state: TenantState,
    /// Which of the emulator's hosts serves it.
    pub(super) home: usize,
    /// Where it lived before: a caller may still come there in good faith.
    pub(super) former: Vec<usize>,
    /// How long an answer of the state API is good.
    pub(super) valid_for: Duration,
    /// Beginnings of paths below the tenant's root that the system user has no right to.
    pub(super) denied: Vec<String>,
    planned: VecDeque<Planned>,
}

/// The web API answers with this status instead, so many times.
#[derive(Clone, Copy, Debug)]
struct Planned {
    status: u16,
    left: u64,
}

/// How long an answer of the state API is good unless a test says otherwise; the real length is
/// not published.
const VALID_FOR: Duration = Duration::from_secs(900);

impl Tenancies {
    /// Tenants live at the only host there is, or spread over the numbered ones: the first is
    /// reserved for authentication then, as SuperOffice has it (`superid.md` §1).
    pub(super) fn new(seed: &Seed, hosts: usize) -> Self {
        let home = |index: usize| match hosts {
            0 | 1 => 0,
            _ => 1 + index % (hosts - 1),
        };
        let order = seed.tenants.iter().map(|tenant| tenant.ctx.to_ascii_lowercase()).collect();
        let tenancies = seed.tenants.iter().enumerate();
        let all = tenancies.map(|(index, tenant)| {
            (tenant.ctx.to_ascii_lowercase(), Tenancy::new(tenant.clone(), home(index)))
        });
        Self { all: all.collect(), order }
    }

    /// The tenant with this context identifier, in any case.
    pub(super) fn find(&self, ctx: &str) -> Option<&Tenancy> {
        match ctx.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => self.all.get(&ctx.to_ascii_lowercase()),
            false => self.all.get(ctx),
        }
    }

    /// In the order of the seed.
    pub(super) fn all(&self) -> impl Iterator<Item = &Tenancy> {
        self.order.iter().filter_map(|ctx| self.all.get(ctx))
    }

    /// Some other tenant, for lies.
    pub(super) fn other_than(&self, ctx: &str) -> Option<&Tenancy> {
        self.all().find(|tenancy| !tenancy.tenant.ctx.eq_ignore_ascii_case(ctx))
    }
}

impl Tenancy {
    fn new(tenant: Tenant, home: usize) -> Self {
        let situation = Situation {
            state: TenantState::Running,
            home,
            former: Vec::new(),
            valid_for: VALID_FOR,
            denied: Vec::new(),
            planned: VecDeque::new(),
        };
        Self { tenant, calls: AtomicU64::new(0), situation: Mutex::new(situation) }
    }

    /// `https://host/Cust12345`, without a slash at the end.
    pub(super) fn root(&self, hosts: &[String]) -> String {
        format!("{}/{}", hosts[self.situation().home], self.tenant.ctx)
    }

    /// A hold on what changes, for a moment: [`Tenancy::root`] waits for it.
    pub(super) fn situation(&self) -> MutexGuard<'_, Situation> {
        self.situation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls of the web API had a good credential.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    pub(super) fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
    }
}

impl Situation {
    pub(super) fn move_to(&mut self, host: usize) {
        let old = std::mem::replace(&mut self.home, host);
        if old != host && !self.former.contains(&old) {
            self.former.push(old);
        }
    }

    /// Plans `times` answers of this status, after those planned before; none at all takes every
    /// plan back.
    pub(super) fn plan(&mut self, status: u16, times: u64) {
        match times {
            0 => self.planned.clear(),
            left => self.planned.push_back(Planned { status, left }),
        }
    }

    /// The status planned for the next call, which is then one less.
    pub(super) fn next_planned(&mut self) -> Option<u16> {
        let planned = self.planned.front_mut()?;
        planned.left -= 1;
        let (status, left) = (planned.status, planned.left);
        if left == 0 {
            self.planned.pop_front();
        }
        Some(status)
    }

    pub(super) fn denies(&self, below_root: &str) -> bool {
        let begins = |path: &str, with: &str| {
            path.get(..with.len()).is_some_and(|part| part.eq_ignore_ascii_case(with))
        };
        self.denied.iter().any(|prefix| begins(below_root, prefix))
    }
}
