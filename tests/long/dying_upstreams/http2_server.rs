//! A server of HTTP/2 without TLS that dies, hangs and returns as it is told.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::World;
use crate::fates::Fate;
use crate::mode::{Mode, Server};
use crate::ports::{Port, will_reset};

/// Serves for as long as it is waited for.
pub async fn run(world: Arc<World>, number: usize, port: Port) {
    let server = &world.two.servers[number];
    loop {
        server.becomes(|mode| *mode != Mode::Refuses).await;
        let listener = port.listen().expect("the port is held");
        let mut connections = JoinSet::new();
        let accepting = async {
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, world.clone(), number));
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

async fn serve(stream: TcpStream, world: Arc<World>, at: usize) {
    // Whatever ends it is a reset: there is no other way to have one in time.
    let _best_effort = will_reset(&stream);
    let _best_effort = stream.set_nodelay(true);
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    let end = Arc::new(Notify::new());
    let mut streams = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = connection.accept() => accepted,
            () = end.notified() => return,
        };
        let Some(Ok((request, respond))) = accepted else { return };
        let number = request.headers().get("x-number");
        let number = number.and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(number) = number {
            world.fates.note(number, Fate::Taken);
            world.two.asked(at);
        }
        let asked = Asked { world: world.clone(), at, number, end: end.clone() };
        streams.spawn(asked.answered(request, respond));
        while streams.try_join_next().is_some() {}
    }
}

/// A request that was taken.
struct Asked {
    world: Arc<World>,
    at: usize,
    number: Option<u64>,
    end: Arc<Notify>,
}

impl Asked {
    async fn answered(self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let number = self.number.unwrap_or_default();
        let server = self.server();
        if server.is() == Mode::Resets {
            return self.reset(&mut respond);
        }
        let mut body = request.into_body();
        while let Some(Ok(data)) = body.data().await {
            let _freed = body.flow_control().release_capacity(data.len());
        }
        sleep(Duration::from_millis(number % 8 * 4)).await;
        let length = (number % 97 * 200) as usize;
        let (whole, status) = match server.is() {
            Mode::Well => (length, 200),
            Mode::Errors => (length, if number.is_multiple_of(2) { 500 } else { 503 }),
            Mode::Stalls if length > 0 => (length / 2, 200),
            Mode::Hangs | Mode::Stalls => return gone(&mut respond).await,
            Mode::Resets | Mode::Refuses => return self.reset(&mut respond),
        };
        if self.number.is_some() {
            let fate = if whole < length { Fate::Stalled } else { Fate::Begun };
            self.world.fates.note(number, fate);
        }
        let head = Response::builder()
            .status(status)
            .header("x-server", server.number)
            .header("content-length", length);
        let head = head.body(()).expect("its parts are good");
        let Ok(mut sent) = respond.send_response(head, length == 0) else { return };
        if length > 0 {
            let _best_effort = sent.send_data(vec![b'x'; whole].into(), whole == length);
        }
        if whole < length {
            let _ended = std::future::poll_fn(|context| sent.poll_reset(context)).await;
        }
    }

    fn server(&self) -> &Server {
        &self.world.two.servers[self.at]
    }

    /// Every other time with the whole connection.
    fn reset(&self, respond: &mut SendResponse<Bytes>) {
        match self.number {
            Some(number) if number.is_multiple_of(2) => respond.send_reset(Reason::INTERNAL_ERROR),
            _ => self.end.notify_one(),
        }
    }
}

/// Ready when the other side has had enough of it.
async fn gone(respond: &mut SendResponse<Bytes>) {
    let _ended = std::future::poll_fn(|context| respond.poll_reset(context)).await;
}
