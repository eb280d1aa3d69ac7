//! A server of HTTP/1.1 that dies, hangs and returns as it is told.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::World;
use crate::fates::Fate;
use crate::mode::{Mode, Server};
use crate::ports::{Port, will_reset};

/// Serves for as long as it is waited for.
pub async fn run(world: Arc<World>, number: usize, port: Port) {
    let server = &world.three.servers[number];
    loop {
        server.becomes(|mode| *mode != Mode::Refuses).await;
        let listener = port.listen().expect("the port is held");
        let mut connections = JoinSet::new();
        let accepting = async {
            while let Ok((stream, _)) = listener.accept().await {
                let world = world.clone();
                connections.spawn(async move { serve(stream, &world, number).await });
                while connections.try_join_next().is_some() {}
            }
        };
        tokio::select! {
            () = accepting => {}
            () = server.becomes(|mode| *mode == Mode::Refuses) => {}
        }
        drop(listener);
        connections.shutdown().await;
    }
}

async fn serve(mut stream: TcpStream, world: &World, at: usize) -> io::Result<()> {
    let server = &world.three.servers[at];
    let mut bytes = Vec::new();
    loop {
        let Some(head) = head(&mut stream, &mut bytes).await? else { return Ok(()) };
        let number = field(&head, "x-number");
        if let Some(number) = number {
            world.fates.note(number, Fate::Taken);
            world.three.asked(at);
        }
        if server.is() == Mode::Resets {
            return will_reset(&stream);
        }
        let length = field(&head, "content-length").unwrap_or_default() as usize;
        while bytes.len() < length {
            more(&mut stream, &mut bytes).await?;
        }
        bytes.drain(..length);
        // Some are under way when a server dies.
        sleep(Duration::from_millis(number.unwrap_or_default() % 8 * 4)).await;
        answer(&mut stream, world, server, number).await?;
    }
}

async fn answer(
    stream: &mut TcpStream,
    world: &World,
    server: &Server,
    number: Option<u64>,
) -> io::Result<()> {
    let mode = server.is();
    let got = |fate| number.into_iter().for_each(|number| world.fates.note(number, fate));
    let status = match mode {
        Mode::Errors if number.is_some_and(|number| number % 2 == 0) => "500 Oh",
        Mode::Errors => "503 Oh",
        _ => "200 OK",
    };
    let length = number.unwrap_or_default() % 97 * 200;
    let body = vec![b'x'; length as usize];
    let head = format!(
        "HTTP/1.1 {status}\r\nX-Server: {}\r\nContent-Length: {length}\r\n\r\n",
        server.number
    );
    match mode {
        Mode::Well | Mode::Errors => {
            got(Fate::Begun);
            stream.write_all(&[head.as_bytes(), &body].concat()).await
        }
        Mode::Stalls if length > 0 => {
            got(Fate::Stalled);
            stream.write_all(&[head.as_bytes(), &body[..body.len() / 2]].concat()).await?;
            gone(stream).await
        }
        Mode::Hangs | Mode::Stalls => gone(stream).await,
        Mode::Resets | Mode::Refuses => {
            will_reset(stream)?;
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
}

/// Ready when the other side has had enough of it.
async fn gone(stream: &mut TcpStream) -> io::Result<()> {
    let mut rest = [0; 512];
    while stream.read(&mut rest).await? > 0 {}
    Err(io::ErrorKind::UnexpectedEof.into())
}

/// The next request's head, in small letters; `None` when no more come.
async fn head(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head: Vec<u8> = bytes.drain(..end + 4).collect();
            return Ok(Some(String::from_utf8_lossy(&head).to_ascii_lowercase()));
        }
        if stream.read_buf(bytes).await? == 0 {
            return Ok(None);
        }
    }
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(bytes).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// A number of the head's.
pub fn field(head: &str, name: &str) -> Option<u64> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
    lines.find(|(known, _)| *known == name).and_then(|(_, value)| value.trim().parse().ok())
}
