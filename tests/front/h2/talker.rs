//! A client of HTTP/2 that says what it is told to, and reads frame by frame.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::frames::{self, ACK, GOAWAY, PREFACE, SETTINGS};

pub struct Talker {
    stream: TlsStream<TcpStream>,
    bytes: Vec<u8>,
}

/// A frame that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Talker {
    /// TLS with ALPN, and nothing said.
    pub async fn connect(address: SocketAddr, certificate: &CertificateDer<'static>) -> Self {
        let stream = secured(address, certificate, b"h2").await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Self { stream, bytes: Vec::new() }
    }

    /// Both sides' settings said and acknowledged.
    pub async fn greet(&mut self, pairs: &[(u16, u32)]) {
        self.say([PREFACE, &frames::settings(pairs)].concat()).await;
        let mut acknowledged = false;
        while !acknowledged {
            let heard = self.hear().await.expect("the gateway's settings");
            if heard.kind == SETTINGS && heard.flags & ACK == 0 {
                self.say(frames::frame(SETTINGS, ACK, 0, [])).await;
            }
            acknowledged = heard.kind == SETTINGS && heard.flags & ACK != 0;
        }
    }

    /// Says whether the gateway still takes it.
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let said = async {
            self.stream.write_all(bytes.as_ref()).await?;
            self.stream.flush().await
        };
        timeout(PATIENCE, said).await.expect("the gateway to read or to close").is_ok()
    }

    /// The next frame; `None` once the gateway has closed.
    pub async fn hear(&mut self) -> Option<Heard> {
        loop {
            if let Some(heard) = self.parsed() {
                return Some(heard);
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.bytes)).await;
            if !matches!(read.expect("the gateway to do something"), Ok(1..)) {
                return None;
            }
        }
    }

    /// Reads to the end of the connection: the code of its GOAWAY, if one came.
    pub async fn ending(&mut self) -> Option<u32> {
        let mut code = None;
        while let Some(heard) = self.hear().await {
            if heard.kind == GOAWAY {
                code = Some(heard.code());
            }
        }
        code
    }

    /// Both halves, for who says and hears at once.
    pub fn split(self) -> (impl AsyncRead, impl AsyncWrite) {
        tokio::io::split(self.stream)
    }

    fn parsed(&mut self) -> Option<Heard> {
        let heard = first(&self.bytes)?;
        self.bytes.drain(..9 + heard.payload.len());
        Some(heard)
    }
}

/// The code of the GOAWAY among these frames.
pub fn goaway_in(mut bytes: &[u8]) -> Option<u32> {
    while let Some(heard) = first(bytes) {
        if heard.kind == GOAWAY {
            return Some(heard.code());
        }
        bytes = &bytes[9 + heard.payload.len()..];
    }
    None
}

fn first(bytes: &[u8]) -> Option<Heard> {
    let head = bytes.get(..9)?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    Some(Heard {
        kind: head[3],
        flags: head[4],
        stream: u32::from_be_bytes(head[5..9].try_into().unwrap()),
        payload: bytes.get(9..9 + length)?.to_vec(),
    })
}

impl Heard {
    /// The code of a GOAWAY or RST_STREAM.
    pub fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    /// The status that begins a header block, which is the first of its connection.
    pub fn status(&self) -> u16 {
        // A new size of the table may stand before it.
        let resized = usize::from(matches!(self.payload[0], 0x20..0x3f));
        match self.payload[resized..] {
            [indexed @ 0x88..=0x8e, ..] => STATIC[usize::from(indexed - 0x88)],
            [0x48, 3, a, b, c, ..] => {
                [a, b, c].iter().fold(0, |all, digit| all * 10 + u16::from(digit - b'0'))
            }
            [0x48, length, ..] if length > 0x80 => {
                huffman_digits(&self.payload[resized + 2..][..usize::from(length - 0x80)])
            }
            _ => panic!("no status: {:x?}", self.payload),
        }
    }
}

/// Opens TLS to it, offering one protocol.
pub async fn secured(
    address: SocketAddr,
    certificate: &CertificateDer<'static>,
    protocol: &[u8],
) -> TlsStream<TcpStream> {
    superid_gateway::crypto::install_provider();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// Three digits in RFC 7541's code: 0 to 2 take five bits, the others six (Appendix B).
fn huffman_digits(bytes: &[u8]) -> u16 {
    let mut bits =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| u16::from(byte >> at & 1)));
    let mut status = 0;
    for _ in 0..3 {
        let mut take = |count: usize| (0..count).fold(0, |all, _| all << 1 | bits.next().unwrap());
        let five = take(5);
        let digit = if five < 3 { five } else { (five << 1 | take(1)) - 0b011001 + 3 };
        status = status * 10 + digit;
    }
    status
}

/// The statuses from index 8 of RFC 7541's table on.
const STATIC: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
/// How long a test waits before it says that something hangs.
const PATIENCE: Duration = Duration::from_secs(20);
