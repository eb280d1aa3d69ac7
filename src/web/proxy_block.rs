//! Version 2 of the PROXY protocol: a binary block (`proxy-protocol.txt` §2.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::proxy_header::{BadHeader, HeaderSoFar, ProxyHeader};

/// What every block begins with.
pub(super) const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Looks at what has come of a block that begins with the signature, as far as that has come.
///
/// # Errors
/// [`BadHeader`], as soon as it is certain.
pub(super) fn look(bytes: &[u8]) -> Result<HeaderSoFar, BadHeader> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else {
        return Ok(HeaderSoFar::Lacks(HEAD - bytes.len()));
    };
    let [.., command, family, high, low] = *head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let told = Told::of(command, family)?;
    if length < told.addresses() {
        return Err(BadHeader::Malformed);
    }
    if HEAD + length > LONGEST_BLOCK {
        return Err(BadHeader::TooLong);
    }
    let Some(body) = rest.get(..length) else {
        return Ok(HeaderSoFar::Lacks(length - rest.len()));
    };
    let whole = |header| Ok(HeaderSoFar::Whole(header, HEAD + length));
    if told == Told::Nothing {
        // What else is in it is to be passed over.
        return whole(ProxyHeader::Nobodys);
    }
    let (addresses, further) = body.split_at(told.addresses());
    look_further(&bytes[..HEAD + length], further)?;
    whole(told.header(addresses).unwrap_or(ProxyHeader::Nobodys))
}

/// Without any of the further values.
pub(super) fn spelled(ends: Option<(SocketAddr, SocketAddr)>) -> Vec<u8> {
    let mut block = SIGNATURE.to_vec();
    let Some((client, server)) = ends else {
        block.extend([LOCAL, 0, 0, 0]);
        return block;
    };
    let told = if client.is_ipv4() { Told::Four } else { Told::Six };
    let family = if told == Told::Four { TCP4 } else { TCP6 };
    // No length of an address has a high byte.
    block.extend([PROXY, family, 0, told.addresses() as u8]);
    for end in [client, server] {
        match end.ip() {
            IpAddr::V4(address) => block.extend(address.octets()),
            IpAddr::V6(address) => block.extend(address.octets()),
        }
    }
    block.extend(client.port().to_be_bytes());
    block.extend(server.port().to_be_bytes());
    block
}

/// Which addresses a block begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Four,
    Nothing,
    Six,
    Socket,
}

impl Told {
    /// Only streams come to us: a datagram's block is a fault.
    fn of(command: u8, family: u8) -> Result<Self, BadHeader> {
        match (command, family) {
            (LOCAL, _) | (PROXY, 0) => Ok(Self::Nothing),
            (PROXY, TCP4) => Ok(Self::Four),
            (PROXY, TCP6) => Ok(Self::Six),
            (PROXY, UNIX) => Ok(Self::Socket),
            _ => Err(BadHeader::Malformed),
        }
    }

    /// How many bytes they have.
    fn addresses(self) -> usize {
        match self {
            Self::Four => 12,
            Self::Nothing => 0,
            Self::Six => 36,
            Self::Socket => 216,
        }
    }

    fn header(self, addresses: &[u8]) -> Option<ProxyHeader> {
        let (client, server, ports) = match self {
            Self::Four => {
                let (client, rest) = addresses.split_first_chunk::<4>()?;
                let (server, ports) = rest.split_first_chunk::<4>()?;
                (Ipv4Addr::from(*client).into(), Ipv4Addr::from(*server).into(), ports)
            }
            Self::Six => {
                let (client, rest) = addresses.split_first_chunk::<16>()?;
                let (server, ports) = rest.split_first_chunk::<16>()?;
                (Ipv6Addr::from(*client).into(), Ipv6Addr::from(*server).into(), ports)
            }
            Self::Nothing | Self::Socket => return None,
        };
        let [a, b, c, d] = *ports.first_chunk()?;
        let end = |address: IpAddr, port| SocketAddr::new(address, u16::from_be_bytes(port));
        Some(ProxyHeader::Client { client: end(client, [a, b]), server: end(server, [c, d]) })
    }
}

/// Goes through the further values: each a type, a length and so many bytes, to the block's very end.
/// Of all of them only the checksum means something to us.
fn look_further(block: &[u8], mut further: &[u8]) -> Result<(), BadHeader> {
    let mut summed = false;
    while let Some(([kind, high, low], rest)) = further.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (value, rest) = rest.split_at_checked(length).ok_or(BadHeader::Malformed)?;
        if *kind == CHECKSUM {
            let said = value.try_into().map(u32::from_be_bytes);
            let said = said.map_err(|_| BadHeader::Malformed)?;
            if std::mem::replace(&mut summed, true) {
                return Err(BadHeader::Malformed);
            }
            let at = block.len() - rest.len() - length;
            if checksum(&[&block[..at], &[0; 4], rest]) != said {
                return Err(BadHeader::Checksum);
            }
        }
        further = rest;
    }
    if further.is_empty() { Ok(()) } else { Err(BadHeader::Malformed) }
}

/// CRC-32c (RFC 3720, appendix B.4). A block has few bytes: they are taken bit by bit.
fn checksum(pieces: &[&[u8]]) -> u32 {
    let bytes = pieces.iter().copied().flatten();
    !bytes.fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            sum >> 1 ^ if sum & 1 == 1 { CASTAGNOLI } else { 0 }
        })
    })
}

/// Bytes of a block before its addresses.
const HEAD: usize = 16;
/// Bytes of a block in all; those who send certificates of their clients have some hundreds.
pub(super) const LONGEST_BLOCK: usize = 4 << 10;
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;
const UNIX: u8 = 0x31;
/// `PP2_TYPE_CRC32C`.
const CHECKSUM: u8 = 0x03;
/// The polynomial, its lowest power first.
const CASTAGNOLI: u32 = 0x82F6_3B78;

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESSES: [u8; 12] = [203, 0, 113, 9, 10, 0, 0, 1, 0xDC, 0x04, 0x01, 0xBB];

    fn block(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family, high, low], body].concat()
    }

    fn with(further: &[u8]) -> Vec<u8> {
        block(PROXY, TCP4, &[&ADDRESSES, further].concat())
    }

    /// The same with its checksum, which stands last.
    fn summed(further: &[u8]) -> Vec<u8> {
        let mut block = with(&[further, &[CHECKSUM, 0, 4, 0, 0, 0, 0]].concat());
        let sum = checksum(&[&block]).to_be_bytes();
        let at = block.len() - 4;
        block[at..].copy_from_slice(&sum);
        block
    }

    fn named(block: &[u8]) -> Result<ProxyHeader, BadHeader> {
        match ProxyHeader::look(block)? {
            HeaderSoFar::Whole(header, length) => {
                assert_eq!(length, block.len());
                Ok(header)
            }
            HeaderSoFar::Lacks(lacks) => panic!("{lacks} bytes are missing"),
        }
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        // RFC 3720, appendix B.4, and the usual nine digits.
        assert_eq!(checksum(&[&[0; 32]]), 0x8A91_36AA);
        assert_eq!(checksum(&[&[0xFF; 32]]), 0x62A8_AB43);
        assert_eq!(checksum(&[b"1234", b"56789"]), 0xE306_9283);
    }

    #[test]
    fn a_block_names_the_client_and_where_it_connected() {
        let four = ProxyHeader::Client {
            client: "203.0.113.9:56324".parse().unwrap(),
            server: "10.0.0.1:443".parse().unwrap(),
        };
        let authority = [0x02, 0, 3, b'a', b'.', b'b'];
        let nothing = [0x04, 0, 2, 0, 0];
        for block in [
            with(&[]),
            with(&authority),
            with(&[authority.as_slice(), &nothing].concat()),
            summed(&[]),
            summed(&authority),
        ] {
            assert_eq!(named(&block), Ok(four), "{}", block.escape_ascii());
        }
        let mut six = [0; 36];
        (six[15], six[31], six[33], six[35]) = (9, 1, 80, 81);
        let six = named(&block(PROXY, TCP6, &six)).unwrap();
        let ends = ("[::9]:80".parse().unwrap(), "[::1]:81".parse().unwrap());
        assert_eq!(six, ProxyHeader::Client { client: ends.0, server: ends.1 });
    }

    #[test]
    fn a_block_of_the_sender_itself_or_of_a_socket_names_nobody() {
        for block in [
            block(LOCAL, 0, &[]),
            block(LOCAL, TCP4, &ADDRESSES),
            block(LOCAL, 0xFF, &[1, 2, 3]),
            block(PROXY, 0, &[]),
            block(PROXY, 0, &[9; 9]),
            block(PROXY, UNIX, &[b'x'; 216]),
        ] {
            assert_eq!(named(&block), Ok(ProxyHeader::Nobodys), "{}", block.escape_ascii());
        }
    }

    #[test]
    fn a_block_that_breaks_the_rules_is_refused() {
        let twice = [CHECKSUM, 0, 4, 0, 0, 0, 0].repeat(2);
        for (refused, why) in [
            (block(0x22, TCP4, &ADDRESSES), BadHeader::Malformed),
            (block(0x11, TCP4, &ADDRESSES), BadHeader::Malformed),
            (block(0x31, TCP4, &ADDRESSES), BadHeader::Malformed),
            (block(PROXY, 0x12, &ADDRESSES), BadHeader::Malformed),
            (block(PROXY, 0x22, &[0; 36]), BadHeader::Malformed),
            (block(PROXY, 0x32, &[0; 216]), BadHeader::Malformed),
            (block(PROXY, 0x41, &[0; 216]), BadHeader::Malformed),
            (block(PROXY, TCP4, &ADDRESSES[1..]), BadHeader::Malformed),
            (block(PROXY, TCP6, &ADDRESSES), BadHeader::Malformed),
            (block(PROXY, UNIX, &[0; 215]), BadHeader::Malformed),
            (with(&[0x02]), BadHeader::Malformed),
            (with(&[0x02, 0]), BadHeader::Malformed),
            (with(&[0x02, 0, 1]), BadHeader::Malformed),
            (with(&[0x02, 0xFF, 0xFF, 1]), BadHeader::Malformed),
            (with(&[CHECKSUM, 0, 3, 0, 0, 0]), BadHeader::Malformed),
            (with(&[CHECKSUM, 0, 4, 1, 2, 3, 4]), BadHeader::Checksum),
            (with(&twice), BadHeader::Checksum),
            (block(LOCAL, 0, &[0; LONGEST_BLOCK - HEAD + 1]), BadHeader::TooLong),
        ] {
            assert_eq!(named(&refused), Err(why), "{}", refused.escape_ascii());
        }
        let mut turned = summed(&[]);
        turned[16] ^= 1;
        assert_eq!(named(&turned), Err(BadHeader::Checksum));
        assert_eq!(named(&block(LOCAL, 0, &[0; LONGEST_BLOCK - HEAD])), Ok(ProxyHeader::Nobodys));
    }
}
