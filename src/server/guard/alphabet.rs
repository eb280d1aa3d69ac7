//! Which bytes may stand where, and how to run over many of them quickly.

/// A letter of a token (RFC 9110 §5.6.2).
#[inline]
pub(super) fn is_token(byte: u8) -> bool {
    CLASSES[byte as usize] & TOKEN != 0
}

/// A byte of a request target: visible ASCII, and not `#`, which no client sends (RFC 9112 §3.2).
#[inline]
pub(super) fn is_target(byte: u8) -> bool {
    CLASSES[byte as usize] & TARGET != 0
}

/// How many bytes from the start are letters of a token.
#[inline]
pub(super) fn token_run(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    let mut run = 0;
    for word in words {
        let odd = other_than_letters(u64::from_le_bytes(*word));
        if odd != 0 {
            run += (odd.trailing_zeros() / 8) as usize;
            break;
        }
        run += 8;
    }
    let rest = &bytes[run..];
    run + rest.iter().position(|byte| !is_token(*byte)).unwrap_or(rest.len())
}

/// How many bytes from the start are no control bytes. Bytes over 0x7f are none.
#[inline]
pub(super) fn text_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut run = 0;
    for word in words {
        let controls = controls(u64::from_le_bytes(*word));
        if controls != 0 {
            return run + (controls.trailing_zeros() / 8) as usize;
        }
        run += 8;
    }
    run + rest.iter().position(u8::is_ascii_control).unwrap_or(rest.len())
}

/// The high bit of each control byte; each byte is looked at without its own high bit, so that
/// none carries into the next.
#[inline]
fn controls(word: u64) -> u64 {
    let low = word & (EACH * 0x7f);
    // 0x20 to 0x7e reach the high bit by adding 0x60, 0x7f alone by adding 1.
    (!(low + EACH * 0x60) | (low + EACH)) & !word & (EACH * 0x80)
}

/// The high bit of each byte that is neither a letter nor a hyphen.
#[inline]
fn other_than_letters(word: u64) -> u64 {
    let low = word & (EACH * 0x7f);
    let at_least = |bytes: u64, least: u64| bytes + EACH * (0x80 - least);
    let lower = low | (EACH * 0x20);
    let letter = at_least(lower, 0x61) & !at_least(lower, 0x7b);
    let hyphen = at_least(low, 0x2d) & !at_least(low, 0x2e);
    !((letter | hyphen) & !word) & (EACH * 0x80)
}

const EACH: u64 = 0x0101_0101_0101_0101;
const TOKEN: u8 = 1;
const TARGET: u8 = 2;
const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        if byte != b'#' {
            classes[byte as usize] |= TARGET;
        }
        let delimiter = matches!(
            byte,
            b'"' | b'('
                | b')'
                | b','
                | b'/'
                | b':'
                | b';'
                | b'<'
                | b'='
                | b'>'
                | b'?'
                | b'@'
                | b'['
                | b'\\'
                | b']'
                | b'{'
                | b'}'
        );
        if !delimiter {
            classes[byte as usize] |= TOKEN;
        }
        byte += 1;
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_at_the_first_control_byte_wherever_it_stands() {
        for stop in 0..=255_u8 {
            for at in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[at] = stop;
                let run = if stop.is_ascii_control() { at } else { 20 };
                assert_eq!(text_run(&bytes), run, "{stop:#x} at {at}");
            }
        }
    }

    #[test]
    fn a_token_ends_at_the_first_byte_that_is_no_letter_of_one() {
        for stop in 0..=255_u8 {
            for at in 0..20 {
                let mut bytes = *b"X-Ab9_c.D-eF-gh0IjkL";
                bytes[at] = stop;
                let run = if is_token(stop) { 20 } else { at };
                assert_eq!(token_run(&bytes), run, "{stop:#x} at {at}");
            }
        }
    }

    #[test]
    fn tokens_are_the_letters_of_the_standard() {
        let marks = b"!#$%&'*+-.^_`|~";
        for byte in 0..=255_u8 {
            let expected = byte.is_ascii_alphanumeric() || marks.contains(&byte);
            assert_eq!(is_token(byte), expected, "{byte:#x}");
        }
    }
}
