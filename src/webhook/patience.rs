//! When a delivery that failed is tried again, and when that is worth a line in the log.

use crate::crypto::Random;

/// Seconds until the next try, after so many: 5, doubled each time up to an hour, and up to a fifth
/// more, so that what failed together does not come together again.
pub(super) fn pause(tries: u32, random: &Random) -> u64 {
    let doubled = FIRST << tries.saturating_sub(1).min(20);
    let pause = doubled.min(LONGEST);
    let dice = u64::from(u16::from_be_bytes(random.bytes()));
    pause + dice % (pause / 5 + 1)
}

/// The first failure, the fifth, the tenth, and after that one a day or so.
pub(super) fn is_worth_a_line(tries: u32) -> bool {
    matches!(tries, 1 | 5 | 10) || tries.is_multiple_of(24)
}

const FIRST: u64 = 5;
const LONGEST: u64 = 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_five_seconds_to_an_hour_and_differ() {
        let random = Random::counting();
        for (tries, least) in [(1, 5), (2, 10), (3, 20), (10, 2_560), (11, 3_600), (5_000, 3_600)] {
            for _ in 0..50 {
                let pause = pause(tries, &random);
                assert!((least..=least + least / 5).contains(&pause), "{tries}: {pause}");
            }
        }
        let hours: Vec<u64> = (0..50).map(|_| pause(11, &random)).collect();
        assert!(hours.iter().any(|hour| *hour != hours[0]));
    }
}
