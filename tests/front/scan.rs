//! Whatever bytes come, a header that passes has one reading.

use std::hint::black_box;
use std::time::Instant;

use proptest::prelude::*;
use superid_gateway::server::HeadScan;

use crate::repeatable::repeatable;
use crate::stalls::terms;
use crate::strict;

proptest! {
    #![proptest_config(repeatable(5_000))]

    #[test]
    fn arbitrary_bytes_neither_panic_nor_pass_ambiguously(
        bytes in prop::collection::vec(any::<u8>(), 0..300)
    ) {
        one_reading(&bytes)?;
    }

    #[test]
    fn bytes_of_the_protocols_alphabet_neither_panic_nor_pass_ambiguously(
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..24)
    ) {
        one_reading(words.concat().as_bytes())?;
    }

    #[test]
    fn requests_with_a_few_odd_words_neither_panic_nor_pass_ambiguously(
        words in prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..5),
        at in 0_usize..10,
    ) {
        let mut parts: Vec<&str> = GOOD.to_vec();
        let at = at.min(parts.len());
        parts.splice(at..at, words);
        one_reading(parts.concat().as_bytes())?;
    }
}

#[test]
fn an_ordinary_header_is_read_in_well_under_a_microsecond() {
    let head = format!("{}\r\n", ORDINARY.replace('\n', "\r\n"));
    let scan = || HeadScan::new(&terms()).advance(black_box(head.as_bytes()));
    assert!(scan().unwrap().is_some());
    let rounds = 20_000;
    let quickest = (0..20).map(|_| {
        let began = Instant::now();
        (0..rounds).for_each(|_| drop(black_box(scan())));
        began.elapsed() / rounds
    });
    // No bound is held here: this build and this machine may be any.
    println!("{} bytes in {:?}", head.len(), quickest.min().unwrap());
}

fn one_reading(bytes: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(Some(head)) = HeadScan::new(&terms()).advance(bytes) {
        let passed = &bytes[head.range];
        let read = strict::request(passed);
        prop_assert!(read.is_ok(), "{:?} in {}", read, passed.escape_ascii());
        let read = strict::head(passed);
        let length = read.as_ref().ok().and_then(|head| head.as_ref()).map(|head| head.3);
        prop_assert_eq!(length, Some(passed.len()), "{}", passed.escape_ascii());
    }
    Ok(())
}

const GOOD: [&str; 7] =
    ["POST", " ", "/", " HTTP/1.1", "\r\nHost: a\r\n", "Content-Length: 0\r\n", "\r\n"];
const WORDS: [&str; 40] = [
    "GET ",
    "POST ",
    "/",
    " ",
    "\t",
    "\r\n",
    "\r",
    "\n",
    "\r\n\r\n",
    "HTTP/1.1",
    " HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    "HTTP/2.0",
    "Host: a\r\n",
    "Host",
    ":",
    ": ",
    "host:b\r\n",
    "\r\n ",
    "\0",
    "Content-Length: 1\r\n",
    "Content-Length",
    "1",
    "1, 1",
    "+1",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding",
    "chunked",
    "gzip, ",
    "identity",
    "X: y\r\n",
    "x",
    "\x7f",
    "#",
    "ø",
    "_",
    "Expect: 100-continue\r\n",
    "Upgrade: h2c\r\n",
    "PRI * HTTP/2.0\r\n",
    "http://a/",
];

const ORDINARY: &str = "\
GET /orders/4711/lines?tab=details&sort=date HTTP/1.1
Host: orders.example.com
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8
Accept-Language: nb-NO,nb;q=0.9,no;q=0.8,en;q=0.7
Accept-Encoding: gzip, deflate, br, zstd
Referer: https://orders.example.com/orders
Cookie: __Host-superid=AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIjKlMnOp; theme=dark
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: navigate
Sec-Fetch-Dest: document
Upgrade-Insecure-Requests: 1
Connection: keep-alive
Priority: u=0, i
";
