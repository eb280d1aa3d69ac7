//! Header compression: what no decoder may take (RFC 7541).

use super::frames::*;
use super::verdict::Wanted::{Answers, Ends, Malformed};
use super::verdict::{COMPRESSION, Case, PROTOCOL, case};

pub fn cases() -> Vec<Case> {
    let huffman = |bytes: &[u8]| {
        let value = [&[0x80 | bytes.len() as u8][..], bytes].concat();
        [&[0][..], &string(b"a"), &value].concat()
    };
    let bad = |section, what, bytes: Vec<u8>| {
        case(
            section,
            what,
            frame(HEADERS, WHOLE, 1, [request("GET", "/bad", &[]), bytes].concat()),
            Ends(&[COMPRESSION, PROTOCOL]),
        )
    };
    let before = |what, bytes: &[u8], wanted| {
        let path = if matches!(wanted, Answers(_)) { "/x" } else { "/bad" };
        let block = [bytes, &request("GET", path, &[])].concat();
        case("7541 6.3", what, frame(HEADERS, WHOLE, 1, block), wanted)
    };
    let ends = Ends(&[COMPRESSION, PROTOCOL]);
    vec![
        bad("7541 2.3.3", "index 0", vec![0x80]),
        bad("7541 2.3.3", "an index beyond both tables", vec![0xbe]),
        bad("7541 2.3.3", "an index far beyond both tables", vec![0xff, 0xff, 0x7f]),
        bad(
            "7541 2.3.3",
            "a name by an index beyond both tables",
            [&[0x7f, 0x20][..], &string(b"x")].concat(),
        ),
        bad("7541 5.1", "an integer that never ends", vec![0xff; 20]),
        bad("7541 5.1", "an integer over 32 bits", vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        bad("7541 5.2", "a string longer than its block", vec![0, 1, b'a', 9, b'b']),
        bad("7541 5.2", "a field without its value", vec![0, 1, b'a']),
        bad("7541 5.2", "padding of more than seven bits", huffman(&[0x1f, 0xff])),
        bad("7541 5.2", "padding of zeros", huffman(&[0x18])),
        bad("7541 5.2", "the end of string inside one", huffman(&[0xff, 0xff, 0xff, 0xff])),
        bad("7541 4.2", "a table size at the end of a block", vec![0x20]),
        before("a table size of nothing", &[0x20], Answers(200)),
        before("a table size twice, down and up", &[0x20, 0x3f, 0xe1, 0x1f], Answers(200)),
        before("a table larger than was allowed", &[0x3f, 0xe2, 0x1f], ends),
        before("a table far larger than was allowed", &[0x3f, 0xff, 0xff, 0xff, 0x07], ends),
        case(
            "7541 6.2",
            "a field that is never indexed",
            frame(
                HEADERS,
                WHOLE,
                1,
                [request("GET", "/x", &[]), [&[0x10][..], &string(b"a"), &string(b"b")].concat()]
                    .concat(),
            ),
            Answers(200),
        ),
        case(
            "7541 6.1",
            "a field from the table of all",
            frame(
                HEADERS,
                WHOLE,
                1,
                [&[0x82, 0x87][..], &block(&[(":authority", "localhost"), (":path", "/x")])]
                    .concat(),
            ),
            Answers(200),
        ),
        case(
            "7541 6.1",
            "a pseudo-header field of answers from the table",
            frame(HEADERS, WHOLE, 1, [&[0x88][..], &request("GET", "/bad", &[])].concat()),
            Malformed,
        ),
    ]
}
