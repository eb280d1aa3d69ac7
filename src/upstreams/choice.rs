//! Which of several servers is next, by each rule there is.

use crate::crypto::sha256;

/// A server that may be chosen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// Where it stands in its pool.
    pub number: usize,
    pub weight: usize,
    pub in_flight: usize,
}

/// The one with the fewest requests for its weight. Of several, the one whose `turn` it is: a pool
/// that has nothing to do is used evenly, too.
pub(super) fn least_in_flight(candidates: &[Candidate], turn: usize) -> Option<usize> {
    let count = candidates.len();
    let after = |at: usize| (at + count - turn % count.max(1)) % count.max(1);
    candidates
        .iter()
        .enumerate()
        .min_by(|(at, one), (other_at, other)| {
            // One more for each: a weight counts among the idle, too.
            let (ours, theirs) = (one.in_flight + 1, other.in_flight + 1);
            (ours * other.weight)
                .cmp(&(theirs * one.weight))
                .then_with(|| after(*at).cmp(&after(*other_at)))
        })
        .map(|(_, chosen)| chosen.number)
}

/// Each in turn, as often as it has weight.
pub(super) fn round_robin(candidates: &[Candidate], turn: usize) -> Option<usize> {
    let all: usize = candidates.iter().map(|one| one.weight).sum();
    let mut left = turn % all.max(1);
    let mut of_whom = |one: &&Candidate| match left.checked_sub(one.weight) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    };
    candidates.iter().find(|one| of_whom(one)).map(|chosen| chosen.number)
}

/// The same for the same key, whoever else is there: the highest score wins, and a server that goes
/// leaves its keys to the others without moving theirs. Weights stretch the scores (weighted
/// rendezvous hashing).
pub(super) fn by_hash<'n>(
    candidates: &[Candidate],
    key: &[u8],
    name: impl Fn(usize) -> &'n [u8],
) -> Option<usize> {
    let score = |one: &Candidate| {
        let digest = sha256(&[key, name(one.number)]);
        let (first, _) = digest.split_first_chunk().expect("a digest has 32 bytes");
        // Between 0 and 1, never either.
        let share = ((u64::from_be_bytes(*first) >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
        one.weight as f64 / -share.ln()
    };
    let scored = candidates.iter().map(|one| (score(one), one.number));
    scored.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> &'static [u8] {
        ["http://a:1", "http://b:1", "http://c:1", "http://d:1"][number].as_bytes()
    }

    fn servers(each: &[(usize, usize)]) -> Vec<Candidate> {
        let one = |(number, (weight, in_flight)): (usize, &(usize, usize))| Candidate {
            number,
            weight: *weight,
            in_flight: *in_flight,
        };
        each.iter().enumerate().map(one).collect()
    }

    #[test]
    fn who_has_the_least_to_do_for_its_weight_is_next() {
        assert_eq!(least_in_flight(&servers(&[(1, 3), (1, 2), (1, 4)]), 0), Some(1));
        assert_eq!(least_in_flight(&servers(&[(1, 3), (4, 9), (1, 4)]), 0), Some(1));
        assert_eq!(least_in_flight(&servers(&[(1, 0), (3, 0)]), 0), Some(1));
        assert_eq!(least_in_flight(&[], 7), None);
    }

    #[test]
    fn among_the_idle_each_has_its_turn() {
        let idle = servers(&[(1, 0), (1, 0), (1, 0)]);
        let chosen: Vec<_> = (0..6).filter_map(|turn| least_in_flight(&idle, turn)).collect();
        assert_eq!(chosen, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn in_turn_each_comes_as_often_as_it_has_weight() {
        let mut counts = [0; 3];
        let three = servers(&[(1, 0), (3, 0), (2, 0)]);
        (0..60).filter_map(|turn| round_robin(&three, turn)).for_each(|one| counts[one] += 1);
        assert_eq!(counts, [10, 30, 20]);
        assert_eq!(round_robin(&[], 7), None);
    }

    #[test]
    fn a_key_stays_where_it_is_when_another_server_goes() {
        let four = servers(&[(1, 0); 4]);
        let three = &four[..3];
        let mut moved = 0;
        for key in 0..400_u32 {
            let before = by_hash(&four, &key.to_be_bytes(), name).unwrap();
            let after = by_hash(three, &key.to_be_bytes(), name).unwrap();
            moved += usize::from(before == 3);
            assert!(before == after || before == 3);
        }
        assert!((60..140).contains(&moved), "{moved} of 400 were on the one of four that went");
    }

    #[test]
    fn keys_are_spread_by_weight() {
        let mut counts = [0; 2];
        let two = servers(&[(1, 0), (3, 0)]);
        (0..1_000_u32).filter_map(|key| by_hash(&two, &key.to_be_bytes(), name)).for_each(|one| {
            counts[one] += 1;
        });
        assert!((200..300).contains(&counts[0]), "{counts:?}");
    }
}
