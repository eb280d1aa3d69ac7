//! PEM (RFC 7468), with the headers of older files (RFC 1421 §4.6): the one private key in a text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::KeyRefused;

/// A private key's block. The text around it, and blocks that hold no private key, say nothing.
pub(super) struct Block<'t> {
    /// `RSA PRIVATE KEY`, say.
    pub(super) label: &'t str,
    headers: Vec<(&'t str, &'t str)>,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl<'t> Block<'t> {
    /// The only private key in the text.
    pub(super) fn find(text: &'t str) -> Result<Self, KeyRefused> {
        let (mut found, mut other) = (None, KeyRefused::NotAKey);
        let mut lines = text.lines().map(str::trim_end);
        while let Some(line) = lines.next() {
            let Some(label) = marker(line, "BEGIN") else { continue };
            let inside: Vec<&str> =
                lines.by_ref().take_while(|line| marker(line, "END") != Some(label)).collect();
            other = KeyRefused::PublicOnly;
            if !label.ends_with("PRIVATE KEY") {
                continue;
            }
            // A block without its end line ran to the end of the text.
            let closed = text.contains(&format!("-----END {label}-----"));
            if found.replace((label, inside, closed)).is_some() {
                return Err(KeyRefused::Several);
            }
        }
        match found {
            Some((label, inside, true)) => Self::read(label, &inside),
            Some(_) => Err(KeyRefused::Malformed),
            None => Err(other),
        }
    }

    /// The value of a header, if it is there.
    pub(super) fn header(&self, name: &str) -> Option<&'t str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn read(label: &'t str, lines: &[&'t str]) -> Result<Self, KeyRefused> {
        let headers: Vec<_> = lines.iter().map_while(|line| line.split_once(": ")).collect();
        let body = &lines[headers.len()..];
        let mut digits = Zeroizing::new(String::with_capacity(body.iter().map(|l| l.len()).sum()));
        body.iter().for_each(|line| digits.push_str(line.trim()));
        let bytes = STANDARD.decode(digits.as_bytes()).map_err(|_| KeyRefused::Malformed)?;
        Ok(Self { label, headers, bytes: Zeroizing::new(bytes) })
    }
}

/// The label of `-----BEGIN LABEL-----`.
fn marker<'t>(line: &'t str, kind: &str) -> Option<&'t str> {
    line.strip_prefix("-----")?.strip_prefix(kind)?.strip_prefix(' ')?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Option<KeyRefused> {
        Block::find(text).err()
    }

    #[test]
    fn the_private_key_is_found_among_other_things() {
        let text = "Bag Attributes\r\n-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----\r\n\
                    -----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n\r\nAQID\r\n\
                    -----END RSA PRIVATE KEY-----\r\n";
        let block = Block::find(text).unwrap();
        assert_eq!((block.label, block.bytes.as_slice()), ("RSA PRIVATE KEY", &[1, 2, 3][..]));
        assert_eq!(block.header("Proc-Type"), Some("4,ENCRYPTED"));
        assert_eq!(block.header("DEK-Info"), None);
    }

    #[test]
    fn none_two_and_half_a_key_are_refused() {
        let key = "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n";
        assert_eq!(refusal(&key.repeat(2)), Some(KeyRefused::Several));
        assert_eq!(refusal(&key.replace("PRIVATE", "PUBLIC")), Some(KeyRefused::PublicOnly));
        assert_eq!(refusal(&key[..40]), Some(KeyRefused::Malformed));
        assert_eq!(refusal(&key.replace("AQID", "AQI")), Some(KeyRefused::Malformed));
        assert_eq!(refusal(&key.replace("AQID", "A\u{e9}==")), Some(KeyRefused::Malformed));
        assert_eq!(refusal("no key"), Some(KeyRefused::NotAKey));
    }
}
