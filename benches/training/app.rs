//! The app behind the gateway, and the tenant's web service.

use tokio::net::{TcpListener, TcpStream};

use crate::message::Message;

/// Bytes of an ordinary answer's body.
const SMALL: usize = 512;
/// Of an answer to what begins with [`BIG`].
const LARGE: usize = 100 << 10;
/// How the target of a large answer begins.
pub const BIG: &str = "/big";

/// Serves as long as the runtime lives; gives the port.
pub async fn start() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _latency_only = stream.set_nodelay(true);
            tokio::spawn(answer(stream));
        }
    });
    port
}

/// One request at a time.
async fn answer(stream: TcpStream) -> Option<()> {
    let mut message = Message::over(stream);
    loop {
        let request = message.read().await?;
        let is_big = request.split(' ').nth(1).is_some_and(|target| target.starts_with(BIG));
        let length = if is_big { LARGE } else { SMALL };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        let mut whole = head.into_bytes();
        whole.resize(whole.len() + length, b'x');
        message.write(&whole).await?;
    }
}
