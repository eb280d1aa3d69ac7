//! Requests as messages: their fields, their pseudo-header fields, their bodies (RFC 9113 §8).

use super::frames::*;
use super::verdict::Wanted::{self, Answers, Malformed};
use super::verdict::{Case, case};

pub fn cases() -> Vec<Case> {
    [fields(), pseudo(), authority(), bodies()].into_iter().flatten().collect()
}

/// GET of `/bad` with one more field.
fn with(what: &'static str, name: &str, value: &str) -> Case {
    let bytes = frame(HEADERS, WHOLE, 1, request("GET", "/bad", &[(name, value)]));
    case("8.2", what, bytes, Malformed)
}

fn fields() -> Vec<Case> {
    let fine = |what, name, value| Case {
        wanted: Answers(200),
        ..case(
            "8.2.2",
            what,
            frame(HEADERS, WHOLE, 1, request("GET", "/x", &[(name, value)])),
            Malformed,
        )
    };
    vec![
        with("a name with a capital letter", "X-Upper", "a"),
        with("a name with a space", "a b", "a"),
        with("a name with a colon", "a:b", "a"),
        with("a name with a control byte", "a\u{1}", "a"),
        with("a name with a line end", "a\r\nb", "a"),
        with("an empty name", "", "a"),
        with("a value with CR LF", "a", "b\r\nx-evil: c"),
        with("a value with LF", "a", "b\nc"),
        with("a value with CR", "a", "b\rc"),
        with("a value with NUL", "a", "b\0c"),
        with("connection", "connection", "keep-alive"),
        with("proxy-connection", "proxy-connection", "keep-alive"),
        with("keep-alive", "keep-alive", "timeout=5"),
        with("transfer-encoding", "transfer-encoding", "chunked"),
        with("upgrade", "upgrade", "websocket"),
        with("te other than trailers", "te", "gzip"),
        with("te with more than trailers", "te", "trailers, deflate;q=0.5"),
        fine("te: trailers", "te", "trailers"),
    ]
}

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "https");
const HOST: (&str, &str) = (":authority", "localhost");
const PATH: (&str, &str) = (":path", "/bad");

/// A request of exactly these fields.
fn of(section: &'static str, what: &'static str, fields: &[(&str, &str)], wanted: Wanted) -> Case {
    case(section, what, frame(HEADERS, WHOLE, 1, block(fields)), wanted)
}

fn pseudo() -> Vec<Case> {
    let bad = |what, fields: &[(&str, &str)]| of("8.3", what, fields, Malformed);
    let ended = |what, fields: &[(&str, &str)]| {
        let trailers = frame(HEADERS, WHOLE, 1, block(fields));
        case(
            "8.1",
            what,
            all(&[post(1, "/bad-trailers"), frame(DATA, 0, 1, b"x"), trailers]),
            Malformed,
        )
    };
    vec![
        bad("an unknown one", &[METHOD, SCHEME, HOST, PATH, (":test", "ok")]),
        bad("one of an answer", &[METHOD, SCHEME, HOST, PATH, (":status", "200")]),
        bad("one after a field", &[METHOD, SCHEME, HOST, ("a", "b"), PATH]),
        bad("an empty path", &[METHOD, SCHEME, HOST, (":path", "")]),
        bad("no method", &[SCHEME, HOST, PATH]),
        bad("no scheme", &[METHOD, HOST, PATH]),
        bad("no path", &[METHOD, SCHEME, HOST]),
        bad("two methods", &[METHOD, METHOD, SCHEME, HOST, PATH]),
        bad("two schemes", &[METHOD, SCHEME, SCHEME, HOST, PATH]),
        bad("two paths", &[METHOD, SCHEME, HOST, PATH, PATH]),
        bad("two authorities", &[METHOD, SCHEME, HOST, HOST, PATH]),
        bad("a method that is none", &[(":method", "G T"), SCHEME, HOST, PATH]),
        bad("a path without a slash", &[METHOD, SCHEME, HOST, (":path", "bad")]),
        bad("a path with a space", &[METHOD, SCHEME, HOST, (":path", "/bad x")]),
        bad("a path with CR LF", &[METHOD, SCHEME, HOST, (":path", "/bad HTTP/1.1\r\nx: y")]),
        bad("an absolute path", &[METHOD, SCHEME, HOST, (":path", "https://localhost/bad")]),
        bad("CONNECT with a path", &[(":method", "CONNECT"), SCHEME, HOST, PATH]),
        bad(
            "a protocol nobody offered",
            &[(":method", "CONNECT"), (":protocol", "websocket"), SCHEME, HOST, PATH],
        ),
        ended("trailers with a capital letter", &[("X-Upper", "a")]),
        of(
            "9.3.6",
            "CONNECT",
            &[(":method", "CONNECT"), (":authority", "localhost:443")],
            Answers(405),
        ),
        of("9.3.8", "TRACE", &[(":method", "TRACE"), SCHEME, HOST, PATH], Answers(405)),
    ]
}

fn authority() -> Vec<Case> {
    let bad = |what, fields: &[(&str, &str)]| of("8.3.1", what, fields, Malformed);
    let host = |value| ("host", value);
    let named = |value| (":authority", value);
    vec![
        bad("neither authority nor Host", &[METHOD, SCHEME, PATH]),
        bad("an empty authority", &[METHOD, SCHEME, named(""), PATH]),
        bad("an authority with a user name", &[METHOD, SCHEME, named("me@localhost"), PATH]),
        bad("a Host that says otherwise", &[METHOD, SCHEME, HOST, PATH, host("evil.example")]),
        bad("two Hosts", &[METHOD, SCHEME, HOST, PATH, host("localhost"), host("localhost")]),
        bad("an authority with a space", &[METHOD, SCHEME, named("local host"), PATH]),
        bad("an authority with a path", &[METHOD, SCHEME, named("localhost/x"), PATH]),
        of(
            "8.3.1",
            "a Host alone",
            &[METHOD, SCHEME, (":path", "/x"), host("localhost")],
            Answers(200),
        ),
        of(
            "8.3.1",
            "a Host that says the same",
            &[METHOD, SCHEME, HOST, (":path", "/x"), host("localhost")],
            Answers(200),
        ),
    ]
}

fn bodies() -> Vec<Case> {
    let sized = |what, length, pieces: &[&str]| {
        let block = request("POST", "/bad-body", &[("content-length", length)]);
        let mut bytes = frame(HEADERS, END_HEADERS, 1, block);
        for (number, piece) in pieces.iter().enumerate() {
            let flags = if number + 1 == pieces.len() { END_STREAM } else { 0 };
            bytes.extend(frame(DATA, flags, 1, piece));
        }
        case("8.1.1", what, bytes, Malformed)
    };
    let ended = |what, length| {
        let block = request("POST", "/bad-body", &[("content-length", length)]);
        case("8.1.1", what, frame(HEADERS, WHOLE, 1, block), Malformed)
    };
    vec![
        sized("a body longer than said", "1", &["test"]),
        sized("a body shorter than said", "9", &["test"]),
        sized("two pieces longer than said", "5", &["test", "test"]),
        sized("two pieces shorter than said", "9", &["test", "test"]),
        ended("a length and no body", "4"),
        ended("a length that is a list", "0, 0"),
        ended("a length that is no number", "x"),
        ended("a length with a sign", "+0"),
        case(
            "8.1",
            "trailers",
            all(&[
                post(1, "/x"),
                frame(DATA, 0, 1, b"x"),
                frame(HEADERS, WHOLE, 1, block(&[("a", "b")])),
            ]),
            Answers(200),
        ),
        case(
            "8.1",
            "a body in pieces",
            all(&[
                post(1, "/x"),
                frame(DATA, 0, 1, b"x"),
                frame(DATA, 0, 1, b""),
                frame(DATA, 1, 1, b"y"),
            ]),
            Answers(200),
        ),
    ]
}
