//! An app that speaks HTTP/2 and hands what it is asked to the test, or answers as every app does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use superid_gateway::crypto::Authorities;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, broadcast};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::wire::PATIENCE;

/// Stops with the test's runtime.
pub struct H2App {
    pub address: SocketAddr,
    asked: Mutex<UnboundedReceiver<Asked>>,
    state: Arc<State>,
}

struct State {
    hands_over: AtomicBool,
    connections: AtomicUsize,
    asked: UnboundedSender<Asked>,
    orders: broadcast::Sender<Order>,
}

/// What becomes of every connection.
#[derive(Clone, Copy)]
enum Order {
    Dies,
    SaysGoodbye,
}

/// A request that waits for its answer.
pub struct Asked {
    pub head: http::request::Parts,
    pub body: RecvStream,
    respond: SendResponse<Bytes>,
}

impl H2App {
    /// One that speaks it from the first byte.
    pub async fn start() -> Self {
        Self::behind(None).await
    }

    /// One with a certificate for `app.test` that agrees on this protocol, and who vouches for it.
    pub async fn secure(protocol: &[u8]) -> (Self, Authorities) {
        superid_gateway::crypto::install_provider();
        let made = rcgen::generate_simple_self_signed(vec!["app.test".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::from(key))
            .unwrap();
        config.alpn_protocols = vec![protocol.to_vec()];
        let app = Self::behind(Some(TlsAcceptor::from(Arc::new(config)))).await;
        (app, Authorities::from_pem(&made.cert.pem()).unwrap())
    }

    async fn behind(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, asked) = unbounded_channel();
        let state = Arc::new(State {
            hands_over: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            asked: told,
            orders: broadcast::channel(9).0,
        });
        let serving = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (serving, tls) = (serving.clone(), tls.clone());
                let orders = serving.orders.subscribe();
                tokio::spawn(async move {
                    match tls {
                        None => serving.serve(stream, orders).await,
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else { return };
                            serving.serve(stream, orders).await;
                        }
                    }
                });
            }
        });
        Self { address, asked: Mutex::new(asked), state }
    }

    /// An upstream of that name, and every route's.
    pub fn behind_all(&self) -> String {
        format!(
            "[upstream.h2]\nservers = [\"http://{}\"]\nprotocol = \"http/2\"\n\
             [route.app]\nupstream = \"h2\"\n[route.open]\nupstream = \"h2\"\n",
            self.address
        )
    }

    /// From now on requests wait for the test.
    pub fn hands_over(&self) {
        self.state.hands_over.store(true, Ordering::Relaxed);
    }

    /// The next request that waits.
    pub async fn next(&self) -> Asked {
        let mut asked = self.asked.lock().await;
        let next = timeout(PATIENCE, asked.recv()).await;
        next.expect("a request in time").unwrap()
    }

    /// Shows that nothing came.
    pub async fn heard_nothing(&self) {
        assert!(self.asked.lock().await.try_recv().is_err());
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Closes every connection at once.
    pub fn dies(&self) {
        let _nobody = self.state.orders.send(Order::Dies);
    }

    /// Says GOAWAY on every connection, and finishes what was asked before.
    pub fn says_goodbye(&self) {
        let _nobody = self.state.orders.send(Order::SaysGoodbye);
    }
}

impl State {
    async fn serve<S>(&self, stream: S, mut orders: broadcast::Receiver<Order>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let Ok(mut connection) = Builder::new().handshake(stream).await else { return };
        loop {
            tokio::select! {
                accepted = connection.accept() => match accepted {
                    Some(Ok((request, respond))) => self.take(request, respond),
                    Some(Err(_)) | None => return,
                },
                Ok(order) = orders.recv() => match order {
                    Order::Dies => return,
                    Order::SaysGoodbye => connection.graceful_shutdown(),
                }
            }
        }
    }

    fn take(&self, request: Request<RecvStream>, respond: SendResponse<Bytes>) {
        let (head, body) = request.into_parts();
        let asked = Asked { head, body, respond };
        match self.hands_over.load(Ordering::Relaxed) {
            true => drop(self.asked.send(asked)),
            false => asked.answers("the app"),
        }
    }
}

impl Asked {
    /// A header's value, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The next piece of its body.
    pub async fn piece(&mut self) -> Option<Bytes> {
        piece(&mut self.body).await
    }

    /// All of its body.
    pub async fn whole(&mut self) -> Vec<u8> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await {
            whole.extend_from_slice(&piece);
        }
        whole
    }

    /// Gives leave to send the body.
    pub fn goes_on(&mut self) {
        self.respond.send_informational(head(100, &[])).unwrap();
    }

    /// Begins an answer with these headers.
    pub fn begins(&mut self, headers: &[(&str, &str)]) -> SendStream<Bytes> {
        self.respond.send_response(head(200, headers), false).unwrap()
    }

    /// Answers with a head alone.
    pub fn ends(mut self, status: u16, headers: &[(&str, &str)]) -> RecvStream {
        self.respond.send_response(head(status, headers), true).unwrap();
        self.body
    }

    /// Answers with this text.
    pub fn answers(mut self, text: &'static str) {
        self.begins(&[]).send_data(Bytes::from_static(text.as_bytes()), true).unwrap();
    }

    /// Gives it up for this reason.
    pub fn gives_up(mut self, reason: Reason) {
        self.respond.send_reset(reason);
    }
}

fn head(status: u16, headers: &[(&str, &str)]) -> Response<()> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(()).unwrap()
}

/// The next piece of a body of HTTP/2 that is not empty, whose room is given back.
pub async fn piece(body: &mut RecvStream) -> Option<Bytes> {
    loop {
        let next = timeout(PATIENCE, body.data()).await.expect("a piece in time");
        let piece = next?.unwrap();
        let _freed = body.flow_control().release_capacity(piece.len());
        if !piece.is_empty() {
            return Some(piece);
        }
    }
}

/// Trailers, once the body is over.
pub async fn trailers(body: &mut RecvStream) -> Option<HeaderMap> {
    timeout(PATIENCE, body.trailers()).await.expect("trailers in time").unwrap()
}

/// Sends all of this as the other side takes it, and the end behind it.
pub async fn send_all(stream: &mut SendStream<Bytes>, mut rest: Bytes) {
    while !rest.is_empty() {
        stream.reserve_capacity(rest.len());
        let room = std::future::poll_fn(|context| stream.poll_capacity(context));
        let room = timeout(PATIENCE, room).await.expect("room in time").unwrap().unwrap();
        stream.send_data(rest.split_to(room.min(rest.len())), false).unwrap();
    }
    stream.send_data(Bytes::new(), true).unwrap();
}
