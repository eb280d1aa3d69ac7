//! How a line is spelled, as JSON or for people: escaped, and of bounded length.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::LineForm;

/// A line that is being written. Members stand in the order they are added.
pub(super) struct Spelling<'a> {
    out: &'a mut Vec<u8>,
    form: LineForm,
}

impl<'a> Spelling<'a> {
    /// Begins a line with the time of day; `level` is absent on lines that are events of their own.
    pub(super) fn begin(
        out: &'a mut Vec<u8>,
        form: LineForm,
        level: Option<&str>,
        message: &str,
    ) -> Self {
        let mut line = Self { out, form };
        match form {
            LineForm::Json => {
                line.out.extend_from_slice(b"{\"timestamp\":\"");
                stamp(line.out);
                line.out.push(b'"');
                line.text(",\"level\":\"", level);
                line.text(",\"message\":\"", Some(message));
            }
            LineForm::Human => {
                stamp(line.out);
                line.out.push(b' ');
                line.out.extend_from_slice(format!("{:<5} ", level.unwrap_or("-")).as_bytes());
                line.plain(message);
            }
        }
        line
    }

    /// Adds a member; absent where there is no value. `before` is what stands before the value in
    /// JSON: the comma, the name and the opening quote.
    pub(super) fn text(&mut self, before: &str, value: Option<&str>) {
        let Some(value) = value.map(bounded) else { return };
        match self.form {
            LineForm::Json => {
                self.out.extend_from_slice(before.as_bytes());
                escaped(self.out, value);
                self.out.push(b'"');
            }
            LineForm::Human => {
                self.name(before);
                match is_a_word(value) {
                    true => self.out.extend_from_slice(value.as_bytes()),
                    false => self.out.extend_from_slice(format!("{value:?}").as_bytes()),
                }
            }
        }
    }

    /// Adds a list of texts, the first so many of it; absent where it is empty. For JSON alone.
    pub(super) fn texts(&mut self, name: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        self.out.extend_from_slice(format!(",\"{name}\":").as_bytes());
        for (number, value) in values.iter().take(MOST_TEXTS).enumerate() {
            self.out.extend_from_slice(if number == 0 { b"[\"" } else { b",\"" });
            escaped(self.out, bounded(value));
            self.out.push(b'"');
        }
        self.out.push(b']');
    }

    /// Adds a number; `before` ends with the colon.
    pub(super) fn number(&mut self, before: &str, value: u64) {
        match self.form {
            LineForm::Json => self.out.extend_from_slice(before.as_bytes()),
            LineForm::Human => self.name(before),
        }
        digits(self.out, value);
    }

    /// Ends the line.
    pub(super) fn end(self) {
        self.out.extend_from_slice(match self.form {
            LineForm::Json => b"}\n",
            LineForm::Human => b"\n",
        });
    }

    fn name(&mut self, before: &str) {
        self.out.push(b' ');
        let quotes = [',', '"', ':'];
        self.out.extend_from_slice(before.trim_matches(quotes).as_bytes());
        self.out.push(b'=');
    }

    /// A message for people: as it is, but for what would do something to a terminal.
    fn plain(&mut self, message: &str) {
        for letter in bounded(message).chars() {
            match is_harmless(letter) {
                true => {
                    self.out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                false => self.out.extend_from_slice(letter.escape_debug().to_string().as_bytes()),
            }
        }
    }
}

/// The first so many letters.
fn bounded(value: &str) -> &str {
    match value.len() {
        ..=MOST_LETTERS => value,
        long => {
            let end = value.char_indices().map(|(at, _)| at).nth(MOST_LETTERS).unwrap_or(long);
            &value[..end]
        }
    }
}

/// Whether people read it without quotes.
fn is_a_word(value: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'=');
    !value.is_empty() && value.bytes().all(fits)
}

/// What JSON asks to be escaped (RFC 8259 §7), and what would do something to a terminal.
fn escaped(out: &mut Vec<u8>, value: &str) {
    if is_plain(value.as_bytes()) {
        out.extend_from_slice(value.as_bytes());
        return;
    }
    for letter in value.chars() {
        match letter {
            '"' | '\\' => out.extend_from_slice(&[b'\\', letter as u8]),
            letter if is_harmless(letter) => {
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            letter => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
        }
    }
}

/// Whether all bytes are printable ASCII but `"` and `\`, eight at a time: nearly everything that is
/// logged is.
fn is_plain(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is zero, and perhaps of those after it.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let odd = |word: u64| {
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quoted =
            zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        (word | control | quoted | zeros(word ^ (ONES * 0x7f))) & HIGH != 0
    };
    let (words, rest) = bytes.as_chunks();
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    !words.iter().any(|word| odd(u64::from_le_bytes(*word))) && rest.iter().all(plain)
}

/// No control character, and none that turns the direction of what is read (Unicode UAX 9 §2).
fn is_harmless(letter: char) -> bool {
    !letter.is_control()
        && !matches!(
            letter,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}'
        )
}

fn digits(out: &mut Vec<u8>, value: u64) {
    let (mut digits, mut at, mut rest) = ([0; 20], 20, value);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The time of day in RFC 3339, in UTC and to the microsecond. What does not change within a
/// second is spelled once for each second and thread.
pub(super) fn stamp(out: &mut Vec<u8>) {
    thread_local! {
        static SECOND: Cell<(u64, [u8; WHOLE])> = const { Cell::new((u64::MAX, [0; WHOLE])) };
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (mut known, mut whole) = SECOND.get();
    if known != since.as_secs() {
        known = since.as_secs();
        let spelled =
            OffsetDateTime::from(UNIX_EPOCH + Duration::from_secs(known)).format(&Rfc3339);
        if let Some(start) = spelled.unwrap_or_default().as_bytes().first_chunk() {
            whole = *start;
        }
        SECOND.set((known, whole));
    }
    out.extend_from_slice(&whole);
    let mut fraction = *b".000000Z";
    let mut rest = since.subsec_micros();
    for digit in fraction[1..7].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&fraction);
}

/// Bytes of a time without its fraction and zone.
const WHOLE: usize = "2026-11-21T12:34:56".len();
/// Letters of one value.
pub(super) const MOST_LETTERS: usize = 1024;
/// Values of one list.
const MOST_TEXTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = "a\u{1b}[31m \"b\" \\ \r\n\u{9b}2J \u{202e}c å 🙂 \u{7f}";

    #[test]
    fn json_holds_what_was_said_and_nothing_that_a_terminal_heeds() {
        let mut out = Vec::new();
        let mut line = Spelling::begin(&mut out, LineForm::Json, Some("INFO"), NASTY);
        line.text(",\"long\":\"", Some(&"å".repeat(5000)));
        line.texts("many", &["x\"y".to_owned(), "z".to_owned()]);
        line.number(",\"count\":", 120);
        line.end();
        let text = String::from_utf8(out).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["message"], NASTY);
        assert_eq!(read["long"].as_str().unwrap().chars().count(), MOST_LETTERS);
        assert_eq!((&read["many"][0], &read["many"][1]), (&"x\"y".into(), &"z".into()));
        assert_eq!(read["count"], 120);
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.chars().all(|letter| letter == '\n' || is_harmless(letter)), "{text}");
        assert!(text.contains('å') && text.contains('🙂'));
    }

    #[test]
    fn a_byte_is_plain_or_not_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let plain = (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\';
            for (at, length) in (0..20).flat_map(|at| (at + 1..=20).map(move |to| (at, to))) {
                let mut text = vec![b'~'; length];
                text[at] = byte;
                assert_eq!(is_plain(&text), plain, "{byte} at {at} of {length}");
            }
        }
        assert!(is_plain(b"") && is_plain(b" ~!#[]^_`{|}azAZ09"));
    }

    #[test]
    fn people_read_names_and_values_with_quotes_only_where_they_are_needed() {
        let mut out = Vec::new();
        let mut line = Spelling::begin(&mut out, LineForm::Human, None, NASTY);
        line.text(",\"path\":\"", Some("/orders/7"));
        line.text(",\"agent\":\"", Some("a \"b\"=\u{1b}[31m"));
        line.number(",\"status\":", 200);
        line.end();
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with(" path=/orders/7 agent=\"a \\\"b\\\"=\\u{1b}[31m\" status=200\n"));
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.chars().all(|letter| letter == '\n' || is_harmless(letter)), "{text}");
    }
}
