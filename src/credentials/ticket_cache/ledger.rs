//! How many exchanges a key has had within the hour.

use crate::clock::Timestamp;

/// The exchanges of the last hour, four at most.
#[derive(Debug, Default)]
pub(super) struct Ledger(Vec<Timestamp>);

impl Ledger {
    /// Takes one of the four.
    ///
    /// # Errors
    /// When all are taken: the seconds until one is free.
    pub fn reserve(&mut self, now: Timestamp) -> Result<(), u64> {
        self.forget_old(now);
        if let Some(first) = self.0.first().filter(|_| self.0.len() >= EXCHANGES) {
            return Err(first.plus(HOUR).since(now).max(1));
        }
        self.0.push(now);
        Ok(())
    }

    /// Gives the last one back: there was no exchange.
    pub fn refund(&mut self) {
        self.0.pop();
    }

    pub fn count(&mut self, now: Timestamp) -> usize {
        self.forget_old(now);
        self.0.len()
    }

    /// A clock that is set back far ends the hour, too: nobody is locked out by it.
    fn forget_old(&mut self, now: Timestamp) {
        self.0.retain(|then| then.0.abs_diff(now.0) < HOUR);
    }
}

/// "At most about once an hour" is the advice (`superid.md` §5); four leave room for tickets that
/// die early.
pub(super) const EXCHANGES: usize = 4;
pub(super) const HOUR: u64 = 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_within_an_hour_waits_for_the_first_to_be_an_hour_old() {
        let mut ledger = Ledger::default();
        for now in [0, 10, 20, 30] {
            ledger.reserve(Timestamp(now)).unwrap();
        }
        assert_eq!(ledger.reserve(Timestamp(100)), Err(3_500));
        assert_eq!(ledger.reserve(Timestamp(3_600)), Ok(()));
        assert_eq!(ledger.reserve(Timestamp(3_601)), Err(9));
    }

    #[test]
    fn what_was_given_back_can_be_taken_again() {
        let mut ledger = Ledger::default();
        for _ in 0..10 {
            ledger.reserve(Timestamp(0)).unwrap();
            ledger.refund();
        }
        assert_eq!(ledger.count(Timestamp(0)), 0);
    }
}
