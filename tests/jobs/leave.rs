//! Callers that ask for leave before they send a body (RFC 9110 §10.1.1), as programs of .NET do for each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use superid_gateway::emulator::{Fault, StateLie};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{NORDLYS, World, nightly};

const LEAVE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// A tenant's host that gives leave before it looks at the ticket, and says 401 once.
async fn hasty(asked: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(LEAVE.as_bytes()).await.unwrap();
            let mut body = [0; 4];
            stream.read_exact(&mut body).await.unwrap();
            let status = match asked.fetch_add(1, Ordering::Relaxed) {
                0 => "401 Unauthorized",
                _ => "200 OK",
            };
            let body = String::from_utf8(body.to_vec()).unwrap();
            let answer = format!(
                "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 4\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    origin
}

#[tokio::test]
async fn a_dead_ticket_is_replaced_also_after_the_tenant_gave_leave_to_send_a_body() {
    let asked = Arc::new(AtomicUsize::new(0));
    let tenant = hasty(asked.clone()).await;
    let world = World::with(&format!("[environment.emulator]\naddresses = [{tenant:?}]")).await;
    let lie = StateLie::Elsewhere { origin: tenant };
    world.superid.faults().set(Fault::StateLie { ctx: None, lie });
    let mut stream = TcpStream::connect(world.address()).await.unwrap();
    let head = format!(
        "POST /Cust12345/api/v1/Contact HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\
         Expect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n",
        nightly()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut leave = [0; LEAVE.len()];
    stream.read_exact(&mut leave).await.unwrap();
    assert_eq!(leave, LEAVE.as_bytes());
    stream.write_all(b"body").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nbody"), "{answer}");
    assert_eq!((asked.load(Ordering::Relaxed), world.exchanges(NORDLYS)), (2, 2));
}
