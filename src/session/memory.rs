//! What a process remembers of sessions and sign-ins, handed from one process to the next.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::clock::Timestamp;

use super::ended::Names;
use super::heirs::Note;
use super::records::Records;
use super::remembered::Remembered;
use super::revocations::Revocations;
use super::what::Over;

/// Everything that must not be forgotten while it could still do harm.
#[derive(Clone, Debug)]
pub struct Memory {
    pub ended: Arc<Revocations>,
    /// Attempts that came back.
    pub spent: Arc<Remembered>,
    /// Posted tokens that were taken.
    pub used: Arc<Remembered>,
    /// Sessions, where they are kept in memory.
    pub records: Option<Arc<Records>>,
}

impl Memory {
    /// Everything there is, and from now on everything that comes, to `heir`. What comes meanwhile
    /// may be in both.
    pub fn bequeath(&self, heir: &Sender<Note>) -> Vec<Note> {
        self.spent.heirs.add(heir.clone());
        self.used.heirs.add(heir.clone());
        let mut notes = self.ended.bequeath(heir);
        notes.extend(self.spent.notes());
        notes.extend(self.used.notes());
        // After the ended ones: none of those is kept.
        notes.extend(self.records.iter().flat_map(|records| records.bequeath(heir)));
        notes
    }

    /// Tells nobody any more.
    pub fn disinherit(&self) {
        self.ended.disinherit();
        self.spent.heirs.leave();
        self.used.heirs.leave();
        self.records.iter().for_each(|records| records.disinherit());
    }

    /// Remembers what another process does, and tells its own heirs if that is new.
    pub fn inherit(&self, note: Note, now: Timestamp) {
        match note {
            Note::Absolute(before) => self.ended.come_after(before, now),
            Note::Ended(id, signed_in) => {
                let over = Over { names: Names::Sessions, name: id, began: signed_in };
                self.ended.take(over, now);
                self.records.iter().for_each(|records| records.remove(&id));
            }
            Note::Kept(id, record) => {
                self.records.iter().for_each(|one| one.keep(id, record.clone(), &self.ended));
            }
            Note::Marked(mark, time) => {
                self.ended.take(Over { names: Names::Marks, name: mark, began: time }, now);
            }
            Note::MarksRefusedUntil(mark, time) => {
                self.ended.refuse_until(Names::Marks, mark, time);
            }
            Note::RefusedUntil(id, time) => self.ended.refuse_until(Names::Sessions, id, time),
            Note::Spent(id, until) => self.spent.keep(id, until, now),
            Note::Used(id, until) => self.used.keep(id, until, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::super::{Kind, SessionState};
    use super::*;

    const NOW: Timestamp = Timestamp(10_000);

    fn memory(most: usize, absolute: u64) -> Memory {
        Memory {
            ended: Arc::new(Revocations::new(most, absolute)),
            spent: Arc::new(Remembered::new(most, Kind::Spent)),
            used: Arc::new(Remembered::new(most, Kind::Used)),
            records: None,
        }
    }

    fn session(id: u8, signed_in: u64) -> SessionState {
        SessionState::of("a@b", [id; 16], Timestamp(signed_in))
    }

    fn end(memory: &Memory, session: &SessionState) {
        memory.ended.take(Over::session(session), NOW);
    }

    #[test]
    fn an_heir_knows_what_was_and_what_comes() {
        let (old, new) = (memory(64, 1_000), memory(64, 1_000));
        end(&old, &session(1, 9_900));
        old.spent.first(&[2; 16], Timestamp(10_500), NOW).unwrap();
        let (heir, comes) = channel();
        old.bequeath(&heir).into_iter().for_each(|note| new.inherit(note, NOW));
        end(&old, &session(3, 9_950));
        old.used.first(&[4; 16], Timestamp(10_500), NOW).unwrap();
        comes.try_iter().for_each(|note| new.inherit(note, NOW));
        assert!(new.ended.has(&session(1, 9_900)) && new.ended.has(&session(3, 9_950)));
        assert!(!new.ended.has(&session(5, 9_950)));
        assert!(new.spent.knows(&[2; 16], NOW) && new.used.knows(&[4; 16], NOW));
        assert!(!new.spent.knows(&[4; 16], NOW));
    }

    #[test]
    fn two_that_tell_each_other_come_to_an_end() {
        let (one, two) = (memory(64, 1_000), memory(64, 1_000));
        let (to_two, of_one) = channel();
        let (to_one, of_two) = channel();
        one.bequeath(&to_two);
        two.bequeath(&to_one);
        end(&one, &session(1, 9_900));
        one.spent.first(&[2; 16], Timestamp(10_500), NOW).unwrap();
        let mut passed = 0;
        while let Ok(note) = of_one.try_recv().inspect(|note| two.inherit(note.clone(), NOW)) {
            passed += 1;
            assert!(passed < 10, "{note:?} goes round");
            of_two.try_iter().for_each(|note| one.inherit(note, NOW));
        }
        assert!(two.ended.has(&session(1, 9_900)) && two.spent.knows(&[2; 16], NOW));
        one.disinherit();
        end(&one, &session(3, 9_900));
        assert!(of_one.try_recv().is_err());
    }

    #[test]
    fn what_was_spent_elsewhere_is_known_even_where_there_is_no_room() {
        let full = memory(1, 1_000);
        full.spent.first(&[64; 16], Timestamp(10_001), NOW).unwrap();
        full.inherit(Note::Spent([128; 16], Timestamp(10_500)), NOW);
        assert!(full.spent.knows(&[128; 16], NOW));
        assert!(full.spent.first(&[192; 16], Timestamp(10_500), NOW).is_err());
        let later = Timestamp(10_100);
        assert_eq!(full.spent.first(&[128; 16], Timestamp(10_500), later), Ok(false));
    }

    #[test]
    fn nobody_is_revived_by_a_full_set_or_a_longer_lifetime() {
        let (old, new) = (memory(1, 1_000), memory(64, 1_000));
        end(&old, &session(64, 9_500));
        end(&old, &session(128, 9_600));
        assert!(old.ended.has(&session(192, 9_400)), "as old as what was forgotten");
        let (heir, _comes) = channel();
        old.bequeath(&heir).into_iter().for_each(|note| new.inherit(note, NOW));
        assert!(new.ended.has(&session(192, 9_400)));
        assert!(!new.ended.has(&session(192, 9_700)));
        let longer = memory(64, 5_000);
        old.bequeath(&heir).into_iter().for_each(|note| longer.inherit(note, NOW));
        assert!(longer.ended.has(&session(5, 9_000)), "was over, and may be forgotten");
        assert!(!longer.ended.has(&session(5, 9_001)));
    }
}
