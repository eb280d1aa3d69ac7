//! A client with one kept connection, which asks the next when it has its answer.

use std::io::{self, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::app::BODY;
use crate::idle;

/// Asks all of these. Every answer must be the app's.
pub fn ask<'a>(port: u16, requests: impl Iterator<Item = &'a [u8]>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the gateway accepts");
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 8 << 10]);
    for request in requests {
        idle::wait();
        stream.write_all(request).expect("the gateway reads");
        answer.clear();
        while !is_whole(&answer) {
            let read = read(&mut stream, &mut piece).expect("the gateway answers in time");
            assert_ne!(read, 0, "it hung up after {:?}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&piece[..read]);
        }
    }
}

/// As [`Read::read`], which a process that was stopped for a while hears of as an error where reading
/// has a time.
fn read(stream: &mut TcpStream, piece: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&answer[..head]);
    assert!(text.starts_with("HTTP/1.1 200"), "the app does not answer like this: {text}");
    answer.len() >= head + 4 + BODY
}

const PATIENCE: Duration = Duration::from_secs(60);
