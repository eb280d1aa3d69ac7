//! One request on a connection, and its whole answer.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// What an answer said.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub status: u16,
    /// The connection ends with it.
    pub last: bool,
}

/// Asks, and reads the answer to its end; `None` when there was none.
pub async fn ask<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> Option<Answer> {
    stream.write_all(REQUEST).await.ok()?;
    stream.flush().await.ok()?;
    let mut answer = Vec::with_capacity(2 << 10);
    loop {
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
        if let Some(whole) = whole(&answer) {
            return Some(whole);
        }
    }
}

fn whole(answer: &[u8]) -> Option<Answer> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).ok()?.to_ascii_lowercase();
    let (_, length) = text.split_once("content-length: ")?;
    let length: usize = length.lines().next()?.parse().ok()?;
    let status = text.split(' ').nth(1)?.parse().ok()?;
    let last = text.contains("connection: close");
    (answer.len() >= head + 4 + length).then_some(Answer { status, last })
}

const REQUEST: &[u8] = b"GET /orders HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
