//! Tickets of people that their tenants take no more, as the tenants say.
//!
//! A ticket can die before its time: the tenant was restored, or took its consent back (`superid.md` §5).
//! What is known here is known to this process alone; another one learns it by its own call.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use http::HeaderValue;

use crate::clock::Timestamp;
use crate::crypto::plain_sha256;
use crate::identity::Ticket;

/// Those that died lately.
#[derive(Debug, Default)]
pub struct DeadTickets {
    /// Whether there ever was one: mostly there was none, and nobody works out a name.
    any: AtomicBool,
    /// When each was found dead, by a digest of it. Requests read it, and do not wait for each other.
    found: RwLock<HashMap<[u8; 16], Timestamp>>,
}

impl DeadTickets {
    /// A tenant answered 401 to this value of `Authorization`, in a session that began then. A ticket of a
    /// moment ago is not dead, whatever the tenant means: another one would fare no better.
    pub fn refused(&self, authorization: &HeaderValue, began: Timestamp, now: Timestamp) {
        let ticket = authorization.as_bytes().strip_prefix(SCHEME);
        let Some(ticket) = ticket.filter(|_| now.since(began) >= YOUNG) else { return };
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= MOST {
            found.retain(|_, when| now.since(*when) < KNOWN);
        }
        if found.len() < MOST {
            found.insert(name(ticket), now);
            self.any.store(true, Ordering::Release);
        }
    }

    /// Whether a ticket is one of them.
    pub fn has(&self, ticket: &Ticket, now: Timestamp) -> bool {
        if !self.any.load(Ordering::Acquire) {
            return false;
        }
        let name = name(ticket.reveal().as_bytes());
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        found.get(&name).is_some_and(|when| now.since(*when) < KNOWN)
    }
}

fn name(ticket: &[u8]) -> [u8; 16] {
    *plain_sha256(ticket).first_chunk().expect("a digest is 32 bytes")
}

/// As `Authorization` begins for a ticket (`superid.md` §6).
const SCHEME: &[u8] = b"SOTicket ";
/// Seconds after a sign-in in which no other would help: a page that signs in at each refusal does it once
/// in so long.
const YOUNG: u64 = 5 * 60;
/// Seconds after which a ticket is past its own life, too.
const KNOWN: u64 = 6 * 60 * 60;
/// Beyond that a dead one is found out by its own times alone.
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: usize) -> HeaderValue {
        HeaderValue::try_from(format!("SOTicket 7T:{number}")).unwrap()
    }

    fn ticket(number: usize) -> Ticket {
        Ticket::parse(&format!("7T:{number}")).unwrap()
    }

    #[test]
    fn a_ticket_is_dead_when_its_tenant_says_so_unless_it_was_given_a_moment_ago() {
        let dead = DeadTickets::default();
        dead.refused(&value(1), Timestamp(1_000), Timestamp(1_299));
        assert!(!dead.has(&ticket(1), Timestamp(1_299)));
        dead.refused(&value(1), Timestamp(1_000), Timestamp(1_300));
        assert!(dead.has(&ticket(1), Timestamp(1_300)) && !dead.has(&ticket(2), Timestamp(1_300)));
        dead.refused(&HeaderValue::from_static("Bearer 7T:2"), Timestamp(0), Timestamp(1_300));
        assert!(!dead.has(&ticket(2), Timestamp(1_300)));
        assert!(!dead.has(&ticket(1), Timestamp(1_300 + KNOWN)), "by then it is over anyway");
    }

    #[test]
    fn no_more_of_them_are_known_than_there_is_room_for() {
        let dead = DeadTickets::default();
        (0..=MOST).for_each(|one| dead.refused(&value(one), Timestamp(0), Timestamp(1_000)));
        assert_eq!(dead.found.read().unwrap().len(), MOST);
        let later = Timestamp(1_000 + KNOWN);
        dead.refused(&value(MOST + 1), Timestamp(0), later);
        assert!(dead.has(&ticket(MOST + 1), later));
        assert_eq!(dead.found.read().unwrap().len(), 1);
    }
}
