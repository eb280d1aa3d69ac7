//! A pingora proxy that does nothing but pass on, as bare as it can be.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use pingora::apps::ServerApp as _;
use pingora::prelude::HttpPeer;
use pingora::protocols::l4::stream::Stream as Connection;
use pingora::protocols::{GetSocketDigest as _, SocketDigest, Stream};
use pingora::proxy::{HttpProxy, ProxyHttp, Session, http_proxy_service};
use pingora::server::Server;
use pingora::server::configuration::ServerConf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::buffered::Buffered;

/// Everything goes to one address.
pub struct Bare(pub u16);

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(
        &self,
        _downstream: &mut Session,
        (): &mut (),
    ) -> pingora::Result<Box<HttpPeer>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.0));
        Ok(Box::new(HttpPeer::new(address, false, String::new())))
    }
}

/// On the gateway's kind of accept loop: one runtime of one thread, writes gathered, `settings`
/// as the gateway has them.
pub fn on_a_loop_of_our_own(upstream: u16) -> u16 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
    let port = listener.local_addr().expect("a bound address").port();
    let settings = ServerConf {
        threads: 1,
        max_retries: 2,
        upstream_keepalive_pool_size: 512,
        ca_file: Some("/dev/null".to_owned()),
        ..ServerConf::default()
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            let mut proxy = HttpProxy::new(Bare(upstream), Arc::new(settings));
            proxy.handle_init_modules();
            accept(listener, Arc::new(proxy)).await;
        });
    });
    port
}

/// On pingora's own server and defaults, with one thread.
pub fn on_the_stock_server(upstream: u16) -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("a bound address").port();
    drop(free);
    let settings = ServerConf { ca_file: Some("/dev/null".to_owned()), ..ServerConf::default() };
    let mut server = Server::new_with_opt_and_conf(None, settings);
    server.bootstrap();
    let mut service = http_proxy_service(&server.configuration, Bare(upstream));
    service.add_tcp(&format!("127.0.0.1:{port}"));
    server.add_service(service);
    std::thread::spawn(move || server.run_forever());
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    port
}

async fn accept(listener: TcpListener, proxy: Arc<HttpProxy<Bare>>) {
    let (_never, stop) = watch::channel(false);
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, proxy.clone(), stop.clone()));
    }
}

async fn serve(stream: TcpStream, proxy: Arc<HttpProxy<Bare>>, stop: watch::Receiver<bool>) {
    let _latency_only = stream.set_nodelay(true);
    let descriptor = std::os::fd::AsRawFd::as_raw_fd(&stream);
    let mut connection: Connection = stream.into();
    connection.set_socket_digest(SocketDigest::from_raw_fd(descriptor));
    let mut stream: Stream = Box::new(Buffered::new(connection));
    while let Some(next) = proxy.clone().process_new(stream, &stop).await {
        stream = next;
    }
}
