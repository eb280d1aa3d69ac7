//! The app behind the gateway, and the tenant's web service: one answer to whatever is asked.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::idle;

/// Bytes of the body of every answer.
pub const BODY: usize = 512;

/// Serves on threads of its own as long as this process lives; gives the port.
pub fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

/// One request at a time, none with a body.
fn answer(mut stream: TcpStream) -> Option<()> {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\
         Date: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Length: {BODY}\r\n\r\n{}",
        "x".repeat(BODY)
    );
    stream.set_nodelay(true).ok()?;
    let (mut request, mut piece) = (Vec::new(), [0; 8 << 10]);
    loop {
        request.clear();
        while !request.ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut piece).ok().filter(|read| *read > 0)?;
            request.extend_from_slice(&piece[..read]);
        }
        idle::wait();
        stream.write_all(answer.as_bytes()).ok()?;
    }
}
