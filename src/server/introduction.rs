//! Hears from a balancer whose connection it passes on.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use crate::telemetry::HeaderRefusal;
use crate::web::{BadHeader, HeaderSoFar, ProxyHeader};

/// Reads a PROXY header, and no byte that comes after it. `most` is for all of it.
///
/// # Errors
/// Why there is none.
pub(super) async fn heard(
    stream: &mut (impl AsyncRead + Unpin),
    most: Duration,
) -> Result<ProxyHeader, HeaderRefusal> {
    timeout(most, whole(stream)).await.unwrap_or(Err(HeaderRefusal::TimedOut))
}

async fn whole(stream: &mut (impl AsyncRead + Unpin)) -> Result<ProxyHeader, HeaderRefusal> {
    let mut bytes = Vec::with_capacity(ORDINARY);
    loop {
        let lacks = match ProxyHeader::look(&bytes).map_err(refusal)? {
            HeaderSoFar::Whole(header, _) => return Ok(header),
            HeaderSoFar::Lacks(lacks) => lacks,
        };
        let broken = |_: io::Error| HeaderRefusal::Closed;
        let mut exactly = (&mut *stream).take(lacks as u64);
        if exactly.read_buf(&mut bytes).await.map_err(broken)? == 0 {
            return Err(HeaderRefusal::Closed);
        }
    }
}

fn refusal(bad: BadHeader) -> HeaderRefusal {
    match bad {
        BadHeader::Absent => HeaderRefusal::Absent,
        BadHeader::Checksum => HeaderRefusal::Checksum,
        BadHeader::Malformed => HeaderRefusal::Malformed,
        BadHeader::TooLong => HeaderRefusal::TooLong,
    }
}

/// Bytes of a line, or of a block with few further values.
const ORDINARY: usize = 107;

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use crate::web::ProxyVersion;

    use super::*;

    const MOST: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn what_comes_after_a_header_stays_where_it_is_however_the_bytes_come() {
        let (client, server) = ("203.0.113.9:1".parse().unwrap(), "10.0.0.1:2".parse().unwrap());
        let header = ProxyHeader::Client { client, server };
        for version in [ProxyVersion::V1, ProxyVersion::V2] {
            let bytes = [header.spelled(version), b"GET / HTTP/1.1".to_vec()].concat();
            assert_eq!(heard(&mut bytes.as_slice(), MOST).await, Ok(header));
            let (mut ours, mut theirs) = tokio::io::duplex(1);
            let told = async {
                theirs.write_all(&bytes).await.unwrap();
                drop(theirs);
            };
            let asked = async {
                let heard = heard(&mut ours, MOST).await;
                let mut rest = String::new();
                ours.read_to_string(&mut rest).await.unwrap();
                (heard, rest)
            };
            let ((heard, rest), ()) = tokio::join!(asked, told);
            assert_eq!((heard, rest.as_str()), (Ok(header), "GET / HTTP/1.1"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_deadline_is_for_the_whole_header() {
        let (mut ours, mut theirs) = tokio::io::duplex(64);
        let began = tokio::time::Instant::now();
        let drips = async {
            for byte in b"PROXY TCP4 203.0.113.9" {
                theirs.write_all(&[*byte]).await.unwrap();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let (heard, ()) = tokio::join!(heard(&mut ours, MOST), drips);
        assert_eq!(heard, Err(HeaderRefusal::TimedOut));
        assert!(began.elapsed() > MOST);
    }

    #[tokio::test]
    async fn each_fault_has_its_word() {
        for (bytes, why) in [
            (&b""[..], HeaderRefusal::Closed),
            (b"PROXY TCP4 203.0.113.9", HeaderRefusal::Closed),
            (b"GET / HTTP/1.1\r\n\r\n", HeaderRefusal::Absent),
            (b"PROXY TCP4 nobody\r\n------------------", HeaderRefusal::Malformed),
            (&[b'P'; 200], HeaderRefusal::Absent),
        ] {
            assert_eq!(heard(&mut &bytes[..], MOST).await, Err(why), "{}", bytes.escape_ascii());
        }
        let endless = format!("PROXY UNKNOWN {}", "f".repeat(200));
        assert_eq!(heard(&mut endless.as_bytes(), MOST).await, Err(HeaderRefusal::TooLong));
    }
}
