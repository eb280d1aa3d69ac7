//! A client with one kept connection, which asks the next when it has its answer.

use std::io::{self, Read, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::app::BODY;
use crate::idle;

/// Whose answer there must be.
#[derive(Clone, Copy)]
pub enum From {
    TheApp,
    /// The gateway's own, which sends a browser to sign in.
    TheGateway,
}

/// Asks all of these.
pub fn ask(port: u16, from: From, requests: impl Iterator<Item = impl AsRef<[u8]>>) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the gateway accepts");
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 8 << 10]);
    for request in requests {
        idle::wait();
        stream.write_all(request.as_ref()).expect("the gateway reads");
        answer.clear();
        while !is_whole(&answer, from) {
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

fn is_whole(answer: &[u8], from: From) -> bool {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&answer[..head]);
    let (status, body) = match from {
        From::TheApp => ("HTTP/1.1 200", BODY),
        From::TheGateway => ("HTTP/1.1 303", 0),
    };
    assert!(text.starts_with(status), "the answer is not {status}: {text}");
    answer.len() >= head + 4 + body
}

const PATIENCE: Duration = Duration::from_secs(60);
