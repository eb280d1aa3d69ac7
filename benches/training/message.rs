//! Messages of HTTP/1.1, as far as this load has them.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// A connection on which messages come whole.
pub struct Message<S> {
    stream: S,
    bytes: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Message<S> {
    pub fn over(stream: S) -> Self {
        Self { stream, bytes: Vec::with_capacity(128 << 10) }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.stream.write_all(bytes).await.ok()?;
        self.stream.flush().await.ok()
    }

    /// The head of the next message, whose body was read as well; `None` at the end.
    pub async fn read(&mut self) -> Option<String> {
        let head = self.until(b"\r\n\r\n", 0).await?;
        let text = String::from_utf8_lossy(&self.bytes[..head]).into_owned();
        let lower = text.to_ascii_lowercase();
        let length = lower.split("content-length:").nth(1).and_then(|rest| {
            let digits = rest.split("\r\n").next().unwrap_or_default();
            digits.trim().parse::<usize>().ok()
        });
        let end = match length {
            Some(length) => head + length,
            None if lower.contains("transfer-encoding: chunked") => {
                self.until(b"0\r\n\r\n", head).await?
            }
            None => head,
        };
        while self.bytes.len() < end {
            self.more().await?;
        }
        self.bytes.drain(..end);
        Some(text)
    }

    /// Where these bytes end, at the earliest behind `from`.
    async fn until(&mut self, these: &[u8], from: usize) -> Option<usize> {
        loop {
            if let Some(at) = memchr::memmem::find(&self.bytes[from..], these) {
                return Some(from + at + these.len());
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.bytes).await.ok()?;
        (read > 0).then_some(())
    }
}
