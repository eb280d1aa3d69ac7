//! When a certificate is renewed, and when an order that failed is tried again.

use crate::clock::Timestamp;
use crate::crypto::{Leaf, Random};

use super::order::Failure;

/// When a third of its life is left, and up to a thirtieth of its life later: so that what was ordered
/// together is not renewed together. `dice` decides, and stays with the certificate.
pub(super) fn renewal(leaf: &Leaf, dice: u64) -> Timestamp {
    let life = leaf.ends.saturating_sub(leaf.begins);
    Timestamp(leaf.ends - life / 3 + dice % (life / 30 + 1))
}

/// When the authority would have it renewed (RFC 9773 §4.2): some moment of its window, but a sixth of
/// the certificate's life before its end at the latest.
pub(super) fn suggested(leaf: &Leaf, (start, end): (u64, u64), dice: u64) -> Timestamp {
    let life = leaf.ends.saturating_sub(leaf.begins);
    let moment = start.saturating_add(dice % end.saturating_sub(start).max(1));
    Timestamp(moment.min(leaf.ends - life / 6))
}

/// Seconds until the next try, after so many that failed: doubled each time, and up to a fifth more.
/// What the authority refused waits longest, since refusals count towards its limits; and its own
/// word on when to come again holds, up to a week.
pub(super) fn pause(failure: Failure, tries: u32, told: Option<u64>, random: &Random) -> u64 {
    let (first, longest) = match failure {
        Failure::RateLimited => (3_600, DAY),
        Failure::Refused => (900, DAY),
        Failure::Unreachable => (60, 3_600),
        Failure::NotKept => (60, 900),
    };
    let doubled: u64 = first << tries.saturating_sub(1).min(20);
    let pause = doubled.min(longest);
    let dice = u64::from(u16::from_be_bytes(random.bytes()));
    let pause = pause + dice % (pause / 5 + 1);
    pause.max(told.unwrap_or(0).min(7 * DAY))
}

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    const LEAF: Leaf = Leaf {
        begins: 1_000_000,
        ends: 1_000_000 + 90 * DAY,
        serial: Vec::new(),
        authority_key: None,
    };

    #[test]
    fn a_certificate_is_renewed_when_a_third_is_left_and_not_much_later() {
        let third = LEAF.ends - 30 * DAY;
        assert_eq!(renewal(&LEAF, 0), Timestamp(third));
        for dice in [1, 77_777, u64::MAX] {
            let moment = renewal(&LEAF, dice).0;
            assert!((third..=third + 3 * DAY).contains(&moment), "{moment}");
        }
        let short = Leaf { begins: 5, ends: 6, ..LEAF };
        assert_eq!(renewal(&short, u64::MAX), Timestamp(6));
    }

    #[test]
    fn the_authoritys_window_holds_but_never_until_the_end() {
        assert_eq!(suggested(&LEAF, (2_000_000, 2_000_100), 205), Timestamp(2_000_005));
        assert_eq!(suggested(&LEAF, (7, 7), 3), Timestamp(7), "at once: it is withdrawn, say");
        let late = suggested(&LEAF, (LEAF.ends, u64::MAX), 9);
        assert_eq!(late, Timestamp(LEAF.ends - 15 * DAY));
    }

    #[test]
    fn pauses_grow_to_their_bound_and_the_authoritys_word_holds() {
        let random = Random::counting();
        for (failure, tries, least) in [
            (Failure::Unreachable, 1, 60),
            (Failure::Unreachable, 3, 240),
            (Failure::Unreachable, 4_000_000, 3_600),
            (Failure::Refused, 1, 900),
            (Failure::Refused, 20, DAY),
            (Failure::RateLimited, 1, 3_600),
            (Failure::NotKept, 9, 900),
        ] {
            let found = pause(failure, tries, None, &random);
            assert!((least..=least + least / 5).contains(&found), "{failure:?} {tries}: {found}");
        }
        assert_eq!(pause(Failure::Unreachable, 1, Some(90_000), &random), 90_000);
        assert_eq!(pause(Failure::Unreachable, 1, Some(u64::MAX), &random), 7 * DAY);
    }
}
