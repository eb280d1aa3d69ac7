//! An app that says who the gateway told it is calling.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Its port.
pub async fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _nodelay = stream.set_nodelay(true);
            tokio::spawn(answers(stream));
        }
    });
    port
}

async fn answers(mut stream: TcpStream) -> Option<()> {
    let mut heard = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = heard.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut heard).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&heard[..end]).to_ascii_lowercase();
        heard.drain(..end);
        let who = head.lines().find_map(|line| line.strip_prefix("x-superoffice-email: "));
        let who = who.unwrap_or("nobody");
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{who}", who.len());
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}
