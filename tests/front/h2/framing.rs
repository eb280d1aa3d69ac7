//! Frames as such: their sizes, their payloads, where they may stand (RFC 9113 §4 and §6).

use super::frames::*;
use super::verdict::Wanted::{Answers, Ends, Fails, Nothing};
use super::verdict::{CLOSED, COMPRESSION, Case, FLOW_CONTROL, FRAME_SIZE, PROTOCOL, case};

pub fn cases() -> Vec<Case> {
    [sizes(), data(), headers(), priority_and_reset(), windows(), others()]
        .into_iter()
        .flatten()
        .chain(settings_cases())
        .chain(continuation())
        .collect()
}

fn sizes() -> Vec<Case> {
    let large = vec![b'x'; 16_385];
    vec![
        case("4.1", "a frame of no known type", all(&[frame(0xbe, 0xff, 0, b"12345678")]), Nothing),
        case("4.1", "flags of no known meaning", frame(PING, 0xfe, 0, [7; 8]), Nothing),
        case("4.1", "a reserved bit", frame(PING, 0, 0x8000_0000, [7; 8]), Nothing),
        case(
            "4.2",
            "DATA of 16,384 bytes",
            all(&[post(1, "/x"), frame(DATA, 1, 1, &large[1..])]),
            Answers(200),
        ),
        case(
            "4.2",
            "DATA of 16,385 bytes",
            all(&[post(1, "/x"), frame(DATA, 1, 1, &large)]),
            Fails(&[FRAME_SIZE, PROTOCOL]),
        ),
        case(
            "4.2",
            "HEADERS of 16,385 bytes",
            frame(HEADERS, WHOLE, 1, &large),
            Ends(&[FRAME_SIZE, PROTOCOL]),
        ),
        case(
            "4.2",
            "an unknown frame of 16,385 bytes",
            frame(0xbe, 0, 0, &large),
            Ends(&[FRAME_SIZE, PROTOCOL]),
        ),
        case(
            "4.3",
            "a header block that cannot be decoded",
            frame(HEADERS, WHOLE, 1, [0x40, 0xff, 0xff]),
            Ends(&[COMPRESSION, PROTOCOL]),
        ),
        case(
            "5.5",
            "an unknown frame inside a header",
            all(&[begun(1), frame(0xbe, 0, 1, b"1234")]),
            Ends(&[PROTOCOL]),
        ),
    ]
}

fn data() -> Vec<Case> {
    let padded =
        |payload: &[u8]| all(&[post(1, "/x"), frame(DATA, PADDED | END_STREAM, 1, payload)]);
    vec![
        case("6.1", "DATA on stream 0", frame(DATA, END_STREAM, 0, b"test"), Ends(&[PROTOCOL])),
        case(
            "6.1",
            "DATA on a stream that is closed",
            all(&[get(1, "/x"), reset(1, 8), frame(DATA, END_STREAM, 1, b"test")]),
            Fails(&[CLOSED]),
        ),
        case(
            "6.1",
            "more padding than payload",
            padded(&[9, b't', b'e', b's', b't']),
            Ends(&[PROTOCOL]),
        ),
        case(
            "6.1",
            "as much padding as payload",
            padded(&[5, b't', b'e', b's', b't']),
            Ends(&[PROTOCOL]),
        ),
        case("6.1", "nothing but padding", padded(&[4, 0, 0, 0, 0]), Answers(200)),
        case("6.1", "padding", padded(&[2, b't', b'e', 0, 0]), Answers(200)),
        case("6.1", "a padded frame of nothing", padded(&[]), Ends(&[PROTOCOL, FRAME_SIZE])),
    ]
}

fn headers() -> Vec<Case> {
    let block = request("GET", "/x", &[]);
    let with = |flags, stream, before: &[u8], after: &[u8]| {
        frame(HEADERS, WHOLE | flags, stream, [before, &block, after].concat())
    };
    vec![
        case("6.2", "HEADERS on stream 0", with(0, 0, &[], &[]), Ends(&[PROTOCOL])),
        case("6.2", "padding", with(PADDED, 1, &[2], &[0, 0]), Answers(200)),
        case("6.2", "more padding than payload", with(PADDED, 1, &[255], &[]), Ends(&[PROTOCOL])),
        case("6.2", "a priority", with(PRIORITISED, 1, &[0, 0, 0, 3, 16], &[]), Answers(200)),
        case(
            "5.3.1",
            "a stream that depends on itself",
            with(PRIORITISED, 1, &[0, 0, 0, 1, 16], &[]),
            Fails(&[PROTOCOL]),
        ),
        case(
            "6.2",
            "too short for its priority",
            frame(HEADERS, WHOLE | PRIORITISED, 1, [0, 0]),
            Ends(&[PROTOCOL, FRAME_SIZE]),
        ),
        case(
            "6.2",
            "PRIORITY inside a header",
            all(&[begun(1), frame(PRIORITY, 0, 1, [0, 0, 0, 0, 9])]),
            Ends(&[PROTOCOL]),
        ),
        case(
            "6.2",
            "HEADERS of another stream inside a header",
            all(&[begun(1), get(3, "/x")]),
            Ends(&[PROTOCOL]),
        ),
        case(
            "6.2",
            "DATA inside a header",
            all(&[begun(1), frame(DATA, 1, 1, b"x")]),
            Ends(&[PROTOCOL]),
        ),
        case("6.2", "RST_STREAM inside a header", all(&[begun(1), reset(1, 8)]), Ends(&[PROTOCOL])),
        case("6.2", "SETTINGS inside a header", all(&[begun(1), settings(&[])]), Ends(&[PROTOCOL])),
        case("6.2", "PING inside a header", all(&[begun(1), ping([0; 8])]), Ends(&[PROTOCOL])),
        case(
            "6.2",
            "WINDOW_UPDATE inside a header",
            all(&[begun(1), window(0, 1)]),
            Ends(&[PROTOCOL]),
        ),
    ]
}

fn priority_and_reset() -> Vec<Case> {
    let priority = |stream, payload: &[u8]| frame(PRIORITY, 0, stream, payload);
    vec![
        case("6.3", "PRIORITY on stream 0", priority(0, &[0, 0, 0, 1, 9]), Ends(&[PROTOCOL])),
        case(
            "6.3",
            "PRIORITY of four bytes",
            all(&[get(1, "/held"), priority(1, &[0, 0, 0, 3])]),
            Fails(&[FRAME_SIZE, PROTOCOL]),
        ),
        case(
            "6.3",
            "PRIORITY of six bytes",
            all(&[get(1, "/held"), priority(1, &[0; 6])]),
            Fails(&[FRAME_SIZE, PROTOCOL]),
        ),
        case(
            "5.3.1",
            "PRIORITY that depends on itself",
            priority(3, &[0, 0, 0, 3, 9]),
            Fails(&[PROTOCOL]),
        ),
        case("6.3", "PRIORITY of an idle stream", priority(9, &[0, 0, 0, 1, 9]), Nothing),
        case("6.4", "RST_STREAM on stream 0", reset(0, 8), Ends(&[PROTOCOL])),
        case("6.4", "RST_STREAM of an idle stream", reset(1, 8), Ends(&[PROTOCOL])),
        case(
            "6.4",
            "RST_STREAM of three bytes",
            all(&[get(1, "/held"), frame(RST_STREAM, 0, 1, [0; 3])]),
            Ends(&[FRAME_SIZE, PROTOCOL]),
        ),
        case(
            "6.4",
            "RST_STREAM of five bytes",
            all(&[get(1, "/held"), frame(RST_STREAM, 0, 1, [0; 5])]),
            Ends(&[FRAME_SIZE, PROTOCOL]),
        ),
        case(
            "7",
            "RST_STREAM with a code of no meaning",
            all(&[get(1, "/held"), reset(1, 0xff)]),
            Nothing,
        ),
    ]
}

fn settings_cases() -> Vec<Case> {
    let over = i32::MAX as u32 + 1;
    vec![
        case(
            "6.5",
            "an acknowledgement with a payload",
            frame(SETTINGS, ACK, 0, [0; 6]),
            Ends(&[FRAME_SIZE, PROTOCOL]),
        ),
        case(
            "6.5",
            "SETTINGS on stream 1",
            frame(SETTINGS, 0, 1, [0, 3, 0, 0, 0, 9]),
            Ends(&[PROTOCOL]),
        ),
        case(
            "6.5",
            "SETTINGS of five bytes",
            frame(SETTINGS, 0, 0, [0, 3, 0, 0, 0]),
            Ends(&[FRAME_SIZE, PROTOCOL]),
        ),
        case("6.5.2", "ENABLE_PUSH neither 0 nor 1", settings(&[(2, 2)]), Ends(&[PROTOCOL])),
        case(
            "6.5.2",
            "INITIAL_WINDOW_SIZE over 2^31-1",
            settings(&[(4, over)]),
            Ends(&[FLOW_CONTROL, PROTOCOL]),
        ),
        case("6.5.2", "MAX_FRAME_SIZE under 16,384", settings(&[(5, 16_383)]), Ends(&[PROTOCOL])),
        case("6.5.2", "MAX_FRAME_SIZE over 2^24-1", settings(&[(5, 1 << 24)]), Ends(&[PROTOCOL])),
        case("6.5.2", "a setting of no known meaning", settings(&[(0xff, 1)]), Nothing),
        case(
            "6.5.3",
            "one setting twice, the last counts",
            all(&[settings(&[(4, 100), (4, 1)]), get(1, "/x")]),
            Answers(200),
        ),
        case(
            "6.5.3",
            "the table of header compression gone",
            all(&[settings(&[(1, 0)]), get(1, "/x")]),
            Answers(200),
        ),
    ]
}

fn windows() -> Vec<Case> {
    let most = i32::MAX as u32;
    let held = || get(1, "/held");
    vec![
        case("6.9", "nothing added to the connection", window(0, 0), Ends(&[PROTOCOL])),
        case("6.9", "nothing added to a stream", all(&[held(), window(1, 0)]), Fails(&[PROTOCOL])),
        case(
            "6.9",
            "WINDOW_UPDATE of three bytes",
            frame(WINDOW_UPDATE, 0, 0, [0, 0, 1]),
            Ends(&[FRAME_SIZE, PROTOCOL]),
        ),
        case("6.9", "WINDOW_UPDATE of an idle stream", window(1, 9), Ends(&[PROTOCOL])),
        case(
            "6.9.1",
            "the connection's window over 2^31-1",
            all(&[window(0, most), window(0, most)]),
            Ends(&[FLOW_CONTROL]),
        ),
        case(
            "6.9.1",
            "a stream's window over 2^31-1",
            all(&[held(), window(1, most), window(1, most)]),
            Fails(&[FLOW_CONTROL]),
        ),
        case(
            "6.9.2",
            "a stream's window over 2^31-1 by a setting",
            all(&[held(), window(1, most - 65_535), settings(&[(4, 65_536)])]),
            Ends(&[FLOW_CONTROL]),
        ),
        case(
            "6.9.2",
            "no window at all still has headers",
            all(&[settings(&[(4, 0)]), get(1, "/x")]),
            Answers(200),
        ),
        case(
            "6.9.2",
            "a window that shrinks under what was sent",
            all(&[get(1, "/x"), settings(&[(4, 1)]), window(1, 9)]),
            Answers(200),
        ),
    ]
}

fn others() -> Vec<Case> {
    vec![
        case(
            "6.6",
            "PUSH_PROMISE from a client",
            all(&[
                get(1, "/held"),
                frame(
                    PUSH_PROMISE,
                    END_HEADERS,
                    1,
                    [&[0, 0, 0, 2][..], &request("GET", "/x", &[])].concat(),
                ),
            ]),
            Ends(&[PROTOCOL]),
        ),
        case("6.7", "PING on stream 1", frame(PING, 0, 1, [0; 8]), Ends(&[PROTOCOL])),
        case("6.7", "PING of six bytes", frame(PING, 0, 0, [0; 6]), Ends(&[FRAME_SIZE, PROTOCOL])),
        case("6.7", "an acknowledgement nobody waits for", frame(PING, ACK, 0, [9; 8]), Nothing),
        case("6.8", "GOAWAY on stream 1", frame(GOAWAY, 0, 1, [0; 8]), Ends(&[PROTOCOL])),
        case(
            "7",
            "GOAWAY with a code of no meaning",
            frame(GOAWAY, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0xff]),
            Ends(&[0, 0xff]),
        ),
    ]
}

fn continuation() -> Vec<Case> {
    let block = request("GET", "/x", &[("a", "b")]);
    let (first, rest) = block.split_at(7);
    let next = |flags, payload: &[u8]| frame(CONTINUATION, flags, 1, payload);
    let headers = |flags, payload: &[u8]| frame(HEADERS, END_STREAM | flags, 1, payload);
    vec![
        case(
            "6.10",
            "a header in two pieces",
            all(&[headers(0, first), next(END_HEADERS, rest)]),
            Answers(200),
        ),
        case(
            "6.10",
            "a header in three, one of them empty",
            all(&[headers(0, first), next(0, &[]), next(END_HEADERS, rest)]),
            Answers(200),
        ),
        case(
            "6.10",
            "a header that is nothing but its continuation",
            all(&[headers(0, &[]), next(END_HEADERS, &block)]),
            Answers(200),
        ),
        case(
            "6.10",
            "a continuation of another stream",
            all(&[headers(0, first), frame(CONTINUATION, END_HEADERS, 3, rest)]),
            Ends(&[PROTOCOL]),
        ),
        case(
            "6.10",
            "a continuation on stream 0",
            all(&[headers(0, first), frame(CONTINUATION, END_HEADERS, 0, rest)]),
            Ends(&[PROTOCOL]),
        ),
        case(
            "6.10",
            "a continuation of what has ended",
            all(&[headers(END_HEADERS, &block), next(END_HEADERS, rest)]),
            Ends(&[PROTOCOL]),
        ),
        case(
            "6.10",
            "a continuation after the last one",
            all(&[headers(0, first), next(END_HEADERS, rest), next(END_HEADERS, rest)]),
            Ends(&[PROTOCOL]),
        ),
        case(
            "6.10",
            "a continuation after DATA",
            all(&[post(1, "/x"), frame(DATA, 0, 1, b"x"), next(END_HEADERS, rest)]),
            Ends(&[PROTOCOL]),
        ),
    ]
}

/// A header that has begun and not ended.
fn begun(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM, stream, request("GET", "/bad", &[]))
}
