//! Whether Redis is set to keep what it is given: looked at when the vault is opened, and by
//! `vault verify`.

use crate::redis_link::{LinkFailed, RedisLink};

/// What its settings mean for the vault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keeping {
    /// What loses entries, or all of them, sooner or later.
    pub grave: Vec<String>,
    /// What may lose the last second, or is not known.
    pub light: Vec<String>,
}

/// What the server says of itself; empty where it does not say.
#[derive(Clone, Debug, Default)]
struct Said {
    persistence: String,
    memory: String,
    replication: String,
    appendfsync: Option<String>,
    tells_when_synced: bool,
}

/// Asks the server.
///
/// # Errors
/// [`LinkFailed`] when it does not answer; what our user may not ask is a light concern.
pub(super) async fn look(link: &RedisLink) -> Result<Keeping, LinkFailed> {
    let said = Said {
        persistence: unless_refused(link.info("persistence").await)?.unwrap_or_default(),
        memory: unless_refused(link.info("memory").await)?.unwrap_or_default(),
        replication: unless_refused(link.info("replication").await)?.unwrap_or_default(),
        appendfsync: unless_refused(link.setting("appendfsync").await)?.flatten(),
        tells_when_synced: link.tells_when_synced().await?,
    };
    Ok(said.judged())
}

/// Tells the log, once, as soon as the server answers.
pub(super) fn warn_about(link: &RedisLink) {
    link.run_once_up(|link| async move {
        match look(&link).await {
            Err(failed) => {
                tracing::warn!("the settings of the vault's redis are not known: {failed}")
            }
            Ok(Keeping { grave, light }) => {
                for words in grave {
                    tracing::error!("the vault is not safe: {words}");
                }
                for words in light {
                    tracing::warn!("the vault: {words}");
                }
            }
        }
    });
}

impl Said {
    fn judged(&self) -> Keeping {
        let mut found = Keeping::default();
        self.judge_memory(&mut found);
        match field(&self.persistence, "aof_enabled") {
            Some("0") => found.grave.push(
                "redis keeps no file of what it is given (appendonly no): when it restarts, entries \
                 are gone; set appendonly yes"
                    .to_owned(),
            ),
            Some(_) => self.judge_file(&mut found),
            None => found.light.push(
                "redis does not tell our user whether it keeps what it is given; allow info and \
                 config|get"
                    .to_owned(),
            ),
        }
        if field(&self.replication, "role") == Some("slave") {
            found.grave.push("this redis is a replica, and takes no writes".to_owned());
        }
        found
    }

    fn judge_memory(&self, found: &mut Keeping) {
        let policy = field(&self.memory, "maxmemory_policy");
        if let Some(policy) = policy.filter(|policy| policy.starts_with("allkeys")) {
            found.grave.push(format!(
                "redis may throw entries out when its memory is full (maxmemory-policy {policy}); set \
                 maxmemory-policy noeviction"
            ));
        }
    }

    fn judge_file(&self, found: &mut Keeping) {
        if field(&self.persistence, "aof_last_write_status").is_some_and(|status| status != "ok") {
            found.grave.push("redis cannot write its append-only file".to_owned());
        }
        match self.appendfsync.as_deref() {
            Some("no") if !self.tells_when_synced => found.grave.push(
                "redis leaves it to the system when its file reaches the disk (appendfsync no); set \
                 appendfsync always"
                    .to_owned(),
            ),
            Some("everysec") if !self.tells_when_synced => found.light.push(
                "a power failure may take the last second of writes (appendfsync everysec); set \
                 appendfsync always"
                    .to_owned(),
            ),
            None if !self.tells_when_synced => found.light.push(
                "redis does not tell our user how soon its file reaches the disk; allow config|get"
                    .to_owned(),
            ),
            _ => {}
        }
    }
}

fn unless_refused<T>(asked: Result<T, LinkFailed>) -> Result<Option<T>, LinkFailed> {
    match asked {
        Ok(said) => Ok(Some(said)),
        Err(LinkFailed::Answer(_) | LinkFailed::Refused(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// A line of what `INFO` says.
fn field<'a>(section: &'a str, name: &str) -> Option<&'a str> {
    section.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        Said {
            persistence: "# Persistence\r\naof_enabled:1\r\naof_last_write_status:ok\r\n"
                .to_owned(),
            memory: "maxmemory:0\r\nmaxmemory_policy:noeviction\r\n".to_owned(),
            replication: "role:master\r\n".to_owned(),
            appendfsync: Some("always".to_owned()),
            tells_when_synced: false,
        }
    }

    #[test]
    fn a_server_that_is_set_well_is_no_concern() {
        assert_eq!(said().judged(), Keeping::default());
        let volatile = "maxmemory_policy:volatile-lru".to_owned();
        assert_eq!(Said { memory: volatile, ..said() }.judged(), Keeping::default());
    }

    #[test]
    fn each_setting_that_loses_entries_is_named_with_what_to_set() {
        let everysec = Some("everysec".to_owned());
        let cases = [
            (Said { persistence: "aof_enabled:0".to_owned(), ..said() }, "appendonly yes", true),
            (
                Said {
                    persistence: "aof_enabled:1\naof_last_write_status:err".to_owned(),
                    ..said()
                },
                "cannot write",
                true,
            ),
            (
                Said { memory: "maxmemory_policy:allkeys-lru".to_owned(), ..said() },
                "maxmemory-policy noeviction",
                true,
            ),
            (Said { replication: "role:slave".to_owned(), ..said() }, "replica", true),
            (Said { appendfsync: Some("no".to_owned()), ..said() }, "appendfsync always", true),
            (Said { appendfsync: everysec.clone(), ..said() }, "appendfsync always", false),
            (Said { appendfsync: None, ..said() }, "config|get", false),
            (Said::default(), "allow info", false),
        ];
        for (said, words, grave) in cases {
            let found = said.judged();
            let (there, other) = match grave {
                true => (found.grave, found.light),
                false => (found.light, found.grave),
            };
            assert!(there.len() == 1 && there[0].contains(words), "{said:?}: {there:?}");
            assert_eq!(other, [""; 0], "{said:?}");
        }
        // Each write waits for its second then.
        let waits = Said { appendfsync: everysec, tells_when_synced: true, ..said() };
        assert_eq!(waits.judged(), Keeping::default());
    }
}
