//! Many callers at once, each over a connection of its own.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::task::JoinSet;

use crate::client::Program;
use crate::world::TENANT;

/// So many in all: a tenth of what is promised, or what `REPLICAS_CALLERS` says.
pub fn callers() -> usize {
    std::env::var("REPLICAS_CALLERS").map_or(100, |count| count.parse().unwrap())
}

/// Callers who wait for their answers.
pub struct Crowd(JoinSet<Result<(u16, String), String>>);

impl Crowd {
    /// Has them all call the tenant now, in turn through each of these listeners.
    pub fn of(callers: usize, listeners: &[SocketAddr]) -> Self {
        let programs: Vec<Program> =
            listeners.iter().map(|at| Program::new(&format!("http://{at}"))).collect();
        let mut crowd = JoinSet::new();
        for number in 0..callers {
            let program = programs[number % programs.len()].clone();
            crowd.spawn(call(program));
        }
        Self(crowd)
    }

    /// Waits for all of them, and panics where one was not served.
    pub async fn all_served(mut self) {
        while let Some(answer) = self.0.join_next().await {
            assert_eq!(answer.unwrap(), Ok((200, String::new())));
        }
    }
}

async fn call(program: Program) -> Result<(u16, String), String> {
    let path = format!("/{TENANT}/api/v1/User/currentPrincipal");
    let password = BASE64_STANDARD.encode("nightly:nightly-password-0123456789");
    let headers = [("authorization", &*format!("Basic {password}"))];
    let answer = program.try_get(&path, &headers).await?;
    if answer.status == 200 {
        assert_eq!(answer.json()["DatabaseContextIdentifier"], TENANT);
    }
    let (status, word) = answer.told();
    Ok((status, word.to_owned()))
}
