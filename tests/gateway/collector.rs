//! A collector of traces: takes OTLP over HTTP, and reads as much of protobuf as that needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::wire::find;

/// Stops with the test's runtime.
#[derive(Clone)]
pub struct Collector {
    pub url: String,
    /// Head and body of each request.
    taken: Arc<Mutex<Taken>>,
}

type Taken = Vec<(String, Vec<u8>)>;

/// A span as it was sent; ids in hexadecimal.
#[derive(Clone, Debug)]
pub struct Span {
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub state: String,
    pub name: String,
    pub kind: u64,
    pub began: u64,
    pub ended: u64,
    pub attributes: BTreeMap<String, String>,
    pub failed: bool,
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self { url, taken: Arc::default() };
        let serving = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        collector
    }

    pub fn heads(&self) -> Vec<String> {
        self.taken.lock().unwrap().iter().map(|(head, _)| head.clone()).collect()
    }

    pub fn spans(&self) -> Vec<Span> {
        let taken = self.taken.lock().unwrap();
        let mut spans = Vec::new();
        for (_, body) in taken.iter() {
            for resourced in messages(body, 1) {
                for scoped in messages(&resourced, 2) {
                    spans.extend(messages(&scoped, 2).iter().map(|span| Span::read(span)));
                }
            }
        }
        spans
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        loop {
            if let Some(head) = find(&bytes, b"\r\n\r\n") {
                let text = String::from_utf8(bytes[..head].to_vec()).unwrap().to_lowercase();
                let length = text.split("content-length: ").nth(1).unwrap();
                let length: usize = length.lines().next().unwrap().parse().unwrap();
                if bytes.len() >= head + 4 + length {
                    let rest = bytes.split_off(head + 4 + length);
                    self.taken.lock().unwrap().push((text, bytes.split_off(head + 4)));
                    bytes = rest;
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    if stream.write_all(answer).await.is_err() {
                        return;
                    }
                    continue;
                }
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
    }
}

impl Span {
    fn read(bytes: &[u8]) -> Self {
        let hex = |field| {
            let id = messages(bytes, field).concat();
            id.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        let text = |field| String::from_utf8(messages(bytes, field).concat()).unwrap();
        let number = |field| {
            fields(bytes).iter().find(|(known, _)| *known == field).map_or(0, |(_, it)| it.number())
        };
        let pair = |pair: &Vec<u8>| {
            let value = messages(pair, 2).concat();
            let (_, value) = fields(&value).remove(0);
            (String::from_utf8(messages(pair, 1).concat()).unwrap(), value.spelled())
        };
        Self {
            trace: hex(1),
            id: hex(2),
            parent: hex(4),
            state: text(3),
            name: text(5),
            kind: number(6),
            began: number(7),
            ended: number(8),
            attributes: messages(bytes, 9).iter().map(pair).collect(),
            failed: !messages(bytes, 15).is_empty(),
        }
    }
}

enum Field {
    Bytes(Vec<u8>),
    Number(u64),
}

impl Field {
    fn number(&self) -> u64 {
        match self {
            Self::Bytes(_) => panic!("bytes where a number should be"),
            Self::Number(number) => *number,
        }
    }

    fn spelled(self) -> String {
        match self {
            Self::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            Self::Number(number) => number.to_string(),
        }
    }
}

fn messages(bytes: &[u8], wanted: u64) -> Vec<Vec<u8>> {
    let bytes_of = |(field, value)| match value {
        Field::Bytes(bytes) if field == wanted => Some(bytes),
        _ => None,
    };
    fields(bytes).into_iter().filter_map(bytes_of).collect()
}

fn fields(mut rest: &[u8]) -> Vec<(u64, Field)> {
    let mut found = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest);
        let value = match key & 7 {
            0 => Field::Number(varint(&mut rest)),
            1 => {
                let (number, after) = rest.split_at(8);
                rest = after;
                Field::Number(u64::from_le_bytes(number.try_into().unwrap()))
            }
            2 => {
                let length = usize::try_from(varint(&mut rest)).unwrap();
                let (bytes, after) = rest.split_at(length);
                rest = after;
                Field::Bytes(bytes.to_vec())
            }
            other => panic!("wire type {other}"),
        };
        found.push((key >> 3, value));
    }
    found
}

fn varint(rest: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, after) = rest.split_first().unwrap();
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}
