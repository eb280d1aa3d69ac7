//! Which frames a stream takes in which of its states (RFC 9113 §5.1).

use super::frames::*;
use super::verdict::Wanted::{self, Ends, Fails};
use super::verdict::{CLOSED, Case, PROTOCOL, REFUSED, Step, case};

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("5.1", "DATA on an idle stream", data(1), Ends(&[PROTOCOL])),
        case("5.1", "CONTINUATION on an idle stream", continued(1), Ends(&[PROTOCOL])),
        case("5.1.1", "a stream with an even number", get(2, "/bad"), Ends(&[PROTOCOL])),
        case(
            "5.1.1",
            "a number under that of an earlier stream",
            all(&[get(5, "/held"), get(3, "/bad")]),
            Ends(&[PROTOCOL]),
        ),
        case(
            "5.1.2",
            "more streams than were allowed",
            all(&(0..101).map(|number| get(2 * number + 1, "/held")).collect::<Vec<_>>()),
            Fails(&[REFUSED, PROTOCOL]),
        ),
        case(
            "8.1",
            "a second header that ends nothing",
            all(&[post(1, "/held"), post(1, "/bad")]),
            Fails(&[PROTOCOL]),
        ),
    ];
    for (what, frame) in [("DATA", data(1)), ("HEADERS", get(1, "/bad"))] {
        cases.push(case(
            "5.1",
            leak(what, "half-closed"),
            all(&[get(1, "/held"), frame.clone()]),
            Fails(&[CLOSED, PROTOCOL]),
        ));
        cases.push(case(
            "5.1",
            leak(what, "reset"),
            all(&[get(1, "/held"), reset(1, 8), frame.clone()]),
            Fails(&[CLOSED, PROTOCOL]),
        ));
        cases.push(after_the_answer(leak(what, "answered"), frame, Fails(&[CLOSED, PROTOCOL])));
    }
    cases.push(case(
        "5.1",
        "CONTINUATION on a half-closed stream",
        all(&[get(1, "/held"), continued(1)]),
        Ends(&[CLOSED, PROTOCOL]),
    ));
    cases.push(case(
        "5.1",
        "CONTINUATION on a reset stream",
        all(&[get(1, "/held"), reset(1, 8), continued(1)]),
        Ends(&[CLOSED, PROTOCOL]),
    ));
    cases.push(after_the_answer(
        "CONTINUATION on an answered stream",
        continued(1),
        Ends(&[CLOSED, PROTOCOL]),
    ));
    for (what, frame) in [
        ("WINDOW_UPDATE", window(1, 9)),
        ("RST_STREAM", reset(1, 8)),
        ("PRIORITY", frame(PRIORITY, 0, 1, [0, 0, 0, 0, 9])),
    ] {
        cases.push(after_the_answer(
            leak(what, "answered, which is no fault"),
            frame,
            Wanted::Nothing,
        ));
    }
    cases
}

fn after_the_answer(what: &'static str, bytes: Vec<u8>, wanted: Wanted) -> Case {
    let steps = vec![Step::Say(get(1, "/x")), Step::Answered(1), Step::Say(bytes)];
    Case { section: "5.1", what, steps, wanted }
}

fn data(stream: u32) -> Vec<u8> {
    frame(DATA, END_STREAM, stream, b"test")
}

fn continued(stream: u32) -> Vec<u8> {
    frame(CONTINUATION, END_HEADERS, stream, request("GET", "/bad", &[]))
}

fn leak(what: &str, state: &str) -> &'static str {
    format!("{what} on a stream that is {state}").leak()
}
