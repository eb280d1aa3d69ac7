//! The gate on instructions (`benches/callgrind/gate`): what it lets pass, and what it does not.

#[path = "../../benches/instructions/judgement.rs"]
mod judgement;

use judgement::{Counts, Judgement, judge};

fn counts(figures: &[(&str, u64)]) -> Counts {
    figures.iter().map(|(name, figure)| ((*name).to_owned(), *figure)).collect()
}

/// Beside 1,000 and 3 that were accepted.
fn judged(now: &[(&str, u64)]) -> Judgement {
    judge(&counts(&[("decide", 1_000), ("decide: allocations", 3)]), &counts(now))
}

#[test]
fn a_figure_may_rise_by_three_per_cent_and_no_more() {
    let with = |decide| judged(&[("decide", decide), ("decide: allocations", 3)]);
    for figure in [970, 1_000, 1_030] {
        assert_eq!(with(figure), Judgement::Held, "{figure}");
    }
    assert_eq!(with(1_031), Judgement::TooMany);
    assert_eq!(with(969), Judgement::Better);
}

#[test]
fn one_allocation_more_is_too_many() {
    assert_eq!(judged(&[("decide", 900), ("decide: allocations", 4)]), Judgement::TooMany);
}

#[test]
fn what_is_not_counted_or_not_accepted_or_free_at_once_does_not_pass() {
    let gone = Judgement::Gone("decide: allocations".to_owned());
    assert_eq!(judged(&[("decide", 1_000)]), gone);
    let free = Judgement::Free("decide".to_owned());
    assert_eq!(judged(&[("decide", 0), ("decide: allocations", 3)]), free);
    let known = [("decide", 1_000), ("decide: allocations", 3)];
    assert_eq!(judged(&[&known[..], &[("new", 1)]].concat()), Judgement::TooMany);
    let nothing = counts(&[("ticket: allocations", 0)]);
    assert_eq!(judge(&nothing, &nothing), Judgement::Held);
    assert_eq!(judge(&nothing, &counts(&[("ticket: allocations", 1)])), Judgement::TooMany);
}
