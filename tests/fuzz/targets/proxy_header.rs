//! PROXY headers: read to their last byte and no further, the same in pieces as at once, and spelled
//! so that they are read again.

use superid_gateway::web::{BadHeader, HeaderSoFar, ProxyHeader, ProxyVersion};

/// The bytes of a connection as a balancer passes it on.
pub fn proxy_header(bytes: &[u8]) -> bool {
    let at_once = ProxyHeader::look(bytes);
    let in_pieces = read(bytes);
    match (at_once, in_pieces) {
        (Ok(HeaderSoFar::Whole(header, length)), Ok(Some((same, read)))) => {
            assert_eq!((header, length), (same, read));
            assert!(length <= LONGEST, "{length} bytes");
            is_spelled(header);
            true
        }
        // What is refused at once is refused in pieces too, or was not all read.
        (Err(_), Err(_) | Ok(None)) | (Ok(HeaderSoFar::Lacks(_)), Ok(None)) => false,
        (at_once, in_pieces) => panic!("{at_once:?} at once, {in_pieces:?} in pieces"),
    }
}

/// As a connection is read: so many bytes as are surely the header's.
fn read(bytes: &[u8]) -> Result<Option<(ProxyHeader, usize)>, BadHeader> {
    let mut has = 0;
    loop {
        match ProxyHeader::look(&bytes[..has])? {
            HeaderSoFar::Whole(header, length) => {
                assert_eq!(length, has, "not a byte more was read");
                return Ok(Some((header, length)));
            }
            HeaderSoFar::Lacks(0) => panic!("nothing is missing, and it is not whole"),
            HeaderSoFar::Lacks(lacks) if lacks > bytes.len() - has => return Ok(None),
            HeaderSoFar::Lacks(lacks) => has += lacks,
        }
    }
}

fn is_spelled(header: ProxyHeader) {
    for version in [ProxyVersion::V1, ProxyVersion::V2] {
        let spelled = header.spelled(version);
        let again = ProxyHeader::look(&spelled);
        assert_eq!(again, Ok(HeaderSoFar::Whole(header, spelled.len())), "{version:?}");
    }
}

const LONGEST: usize = 4 << 10;
