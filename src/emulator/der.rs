//! As much of DER as taking RSA keys apart needs.

/// Modulus and exponent from an `RSAPublicKey` (RFC 8017, A.1.1), without leading zeros.
pub(super) fn public_numbers(der: &[u8]) -> (&[u8], &[u8]) {
    let (sequence, _) = element(der);
    let (n, rest) = element(sequence);
    let (e, _) = element(rest);
    (bare(n), bare(e))
}

/// Modulus, public and private exponent from a PKCS #8 key of RSA (RFC 5958; RFC 8017, A.1.2),
/// without leading zeros.
pub(super) fn private_numbers(pkcs8: &[u8]) -> [&[u8]; 3] {
    let (sequence, _) = element(pkcs8);
    let (_version, rest) = element(sequence);
    let (_algorithm, rest) = element(rest);
    let (octets, _) = element(rest);
    let (key, _) = element(octets);
    let (_version, rest) = element(key);
    let (n, rest) = element(rest);
    let (e, rest) = element(rest);
    let (d, _) = element(rest);
    [bare(n), bare(e), bare(d)]
}

fn bare(number: &[u8]) -> &[u8] {
    number.strip_prefix(&[0]).unwrap_or(number)
}

/// The content of the first DER element, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (header, length) = match der[1] {
        short @ 0..0x80 => (2, usize::from(short)),
        long => {
            let octets = usize::from(long & 0x7f);
            let fold = |length, octet: &u8| length << 8 | usize::from(*octet);
            (2 + octets, der[2..2 + octets].iter().fold(0, fold))
        }
    };
    der[header..].split_at(length)
}
