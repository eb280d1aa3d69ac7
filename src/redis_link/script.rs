//! Scripts of the modules above: what they are asked with, and what they answer.

use std::time::Duration;

use redis::cmd;

use super::failure::LinkFailed;
use super::lanes::{Errand, Kept};
use super::link::RedisLink;

/// A script, which Redis carries out as a whole with nobody's commands in between. It answers with a
/// list of strings, `false` where there is none.
#[derive(Clone, Debug)]
pub struct Script<'a> {
    pub text: &'a str,
    /// Its `KEYS`, without the prefix. They share a part in `{…}`.
    pub names: &'a [&'a str],
    /// Its `ARGV`.
    pub arguments: Vec<Vec<u8>>,
    /// How long it may take.
    pub patience: Duration,
    pub kept: Kept,
}

/// What a script answers.
pub type Answer = Vec<Option<Vec<u8>>>;

impl RedisLink {
    /// Carries a script out. It may be carried out twice where the first answer was lost: it has to
    /// bear that.
    ///
    /// # Errors
    /// [`LinkFailed`]; after [`LinkFailed::TimedOut`] and [`LinkFailed::Lost`] it may have been
    /// carried out, or may be yet.
    pub async fn run_script(&self, script: Script<'_>) -> Result<Answer, LinkFailed> {
        let mut command = self.script(script.text, script.names);
        for argument in script.arguments {
            command.arg(argument);
        }
        self.carry_out(Errand { command, patience: script.patience, kept: script.kept }).await
    }

    /// A random word that nobody else has.
    pub fn word(&self) -> String {
        self.random().token()
    }

    /// A section of what the server says of itself (`INFO`).
    ///
    /// # Errors
    /// [`LinkFailed`]; [`LinkFailed::Refused`] where our user may not ask.
    pub async fn info(&self, section: &str) -> Result<String, LinkFailed> {
        let mut info = cmd("INFO");
        info.arg(section);
        self.run(info).await
    }

    /// A setting of the server; `None` where it has none of that name.
    ///
    /// # Errors
    /// Those of [`RedisLink::info`].
    pub async fn setting(&self, name: &str) -> Result<Option<String>, LinkFailed> {
        let mut get = cmd("CONFIG");
        get.arg("GET").arg(name);
        Ok(self.run::<Vec<String>>(get).await?.into_iter().nth(1))
    }

    /// Whether the server can say when a write is in its file (`WAITAOF`, Redis 7.2).
    ///
    /// # Errors
    /// [`LinkFailed`] other than that it cannot, or that our user may not ask.
    pub async fn tells_when_synced(&self) -> Result<bool, LinkFailed> {
        let mut wait = cmd("WAITAOF");
        wait.arg(0).arg(0).arg(1);
        match self.run::<Vec<i64>>(wait).await {
            Ok(_) => Ok(true),
            Err(LinkFailed::Answer(_) | LinkFailed::Refused(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
