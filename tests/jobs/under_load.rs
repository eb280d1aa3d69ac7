//! Many callers at once, while tenants move and SuperID is down: none of them notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use superid_gateway::emulator::{Fault, Kind};
use tokio::task::JoinSet;

use crate::client::Program;
use crate::world::{NORDLYS, World, nightly};

const PATH: &str = "/Cust12345/api/v1/User/currentPrincipal";
const ROOM: &str = "[job_listener.jobs]\ntenant_requests = 1000\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_moves_under_two_hundred_callers_and_no_call_fails() {
    let world = World::with(ROOM).await;
    let load = Load::begin(&world, 200);
    for host in [2, 1, 2, 1] {
        load.everybody_has_called().await;
        world.superid.tenants().move_tenant(NORDLYS, host).unwrap();
        // Doubts have SuperID asked four times a minute at most.
        world.clock.advance(90);
    }
    load.everybody_has_called().await;
    load.end().await;
    assert_eq!(world.exchanges(NORDLYS), 1);
    world.assert_nothing_astray();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn super_id_is_down_for_five_hours_while_a_tenant_moves_and_no_call_fails() {
    let world = World::with(ROOM).await;
    let load = Load::begin(&world, 50);
    load.everybody_has_called().await;
    for endpoint in [Kind::SystemUser, Kind::Jwks, Kind::Tokens] {
        world.superid.faults().set(Fault::Status { endpoint, code: 503 });
    }
    for quarter in 1..=20 {
        world.clock.advance(900);
        if quarter % 5 == 0 {
            world.superid.tenants().move_tenant(NORDLYS, 1 + quarter % 2).unwrap();
        }
        load.everybody_has_called().await;
    }
    load.end().await;
    assert_eq!(world.exchanges(NORDLYS), 1, "nothing could be bought meanwhile");
    world.assert_nothing_astray();
}

/// Callers that call one tenant, again and again.
struct Load {
    calls: Vec<Arc<AtomicU64>>,
    over: Arc<AtomicBool>,
    callers: JoinSet<()>,
}

impl Load {
    fn begin(world: &World, callers: usize) -> Self {
        let program = world.program();
        let calls: Vec<Arc<AtomicU64>> = (0..callers).map(|_| Arc::default()).collect();
        let over = Arc::new(AtomicBool::new(false));
        let mut set = JoinSet::new();
        for calls in &calls {
            set.spawn(caller(program.clone(), calls.clone(), over.clone()));
        }
        Self { calls, over, callers: set }
    }

    /// Waits until each has begun a call from now on, and has its answer.
    async fn everybody_has_called(&self) {
        let count = |calls: &Arc<AtomicU64>| calls.load(Ordering::SeqCst);
        let before: Vec<u64> = self.calls.iter().map(count).collect();
        for (calls, before) in self.calls.iter().zip(before) {
            while count(calls) < before + 2 {
                assert!(!self.callers.is_empty());
                tokio::task::yield_now().await;
            }
        }
    }

    /// Lets the calls that are under way come to their end; panics where one has failed.
    async fn end(self) {
        self.over.store(true, Ordering::SeqCst);
        self.callers.join_all().await;
    }
}

async fn caller(program: Program, calls: Arc<AtomicU64>, over: Arc<AtomicBool>) {
    while !over.load(Ordering::SeqCst) {
        let answer = program.get(PATH, &[("authorization", &nightly())]).await;
        // Counted first, so that whoever waits for this caller goes on to see it fail.
        calls.fetch_add(1, Ordering::SeqCst);
        assert_eq!(answer.told(), (200, ""));
        assert_eq!(answer.json()["DatabaseContextIdentifier"], NORDLYS);
    }
}
