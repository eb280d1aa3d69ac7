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

/// How many bytes from the start are no control bytes. Bytes over 0x7f are none.
#[inline]
pub(super) fn text_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let controls = controls(u64::from_le_bytes(*word));
        if controls != 0 {
            return number * 8 + (controls.trailing_zeros() / 8) as usize;
        }
    }
    let run = rest.iter().position(|byte| byte.is_ascii_control()).unwrap_or(rest.len());
    words.len() * 8 + run
}

/// The high bit of the lowest byte that is a control byte; bits above that one mean nothing.
#[inline]
fn controls(word: u64) -> u64 {
    let below_space = word.wrapping_sub(EACH * 0x20) & !word;
    let delete = word ^ (EACH * 0x7f);
    let delete = delete.wrapping_sub(EACH) & !delete;
    (below_space | delete) & (EACH * 0x80)
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
    fn tokens_are_the_letters_of_the_standard() {
        let marks = b"!#$%&'*+-.^_`|~";
        for byte in 0..=255_u8 {
            let expected = byte.is_ascii_alphanumeric() || marks.contains(&byte);
            assert_eq!(is_token(byte), expected, "{byte:#x}");
        }
    }
}
