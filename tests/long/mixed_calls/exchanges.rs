//! The exchanges of every app and tenant, as SuperID counts them.

use std::time::{Duration, SystemTime};

use crate::world::{APPS, World};

/// Granted and refused, of all.
pub fn all(world: &World) -> (u64, u64) {
    let rows = world.superid.exchanges().all();
    rows.iter()
        .fold((0, 0), |(granted, refused), row| (granted + row.granted, refused + row.refused))
}

/// The most that any app and tenant was granted within one hour, of the latest hundred of each.
pub fn most_within_an_hour(world: &World) -> usize {
    let pairs = APPS.iter().flat_map(|app| world.tenants.iter().map(move |ctx| (app, ctx)));
    let most = pairs.map(|(app, ctx)| {
        let times = world.superid.exchanges().granted_at(app.client_id, ctx);
        most_together(&times)
    });
    most.max().unwrap_or(0)
}

fn most_together(times: &[SystemTime]) -> usize {
    let within = |from: usize| {
        let soon = |time: &&SystemTime| time.duration_since(times[from]).unwrap() < HOUR;
        times[from..].iter().take_while(soon).count()
    };
    (0..times.len()).map(within).max().unwrap_or(0)
}

const HOUR: Duration = Duration::from_secs(3_600);
