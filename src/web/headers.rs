//! Which request headers nobody outside may send, recognised in every spelling.

use http::{HeaderMap, HeaderName};

/// A message's headers that names can be removed from.
pub trait HeaderBag {
    /// All of them.
    fn headers(&self) -> &HeaderMap;
    /// Removes every value of a name.
    fn remove(&mut self, name: &HeaderName);
}

/// The names that would be believed by an app, in normal form: case and punctuation dropped,
/// because `SO_Ticket`, `so-ticket` and `SOTicket` are one name to many frameworks.
#[derive(Clone, Debug)]
pub struct Spoofable {
    /// By their length: nearly every name of a request is told apart by that alone.
    names: Vec<Vec<String>>,
    /// For each first letter or digit of any of them, which ones may come second; most names of
    /// a request begin otherwise.
    openings: [u64; ALPHABET],
}

/// Proof that a request's spoofable headers are gone. Only [`Spoofable::clean`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Cleaned(());

impl Spoofable {
    /// Ours by configuration, on top of those that are never taken from outside.
    pub fn new<'a>(ours: impl IntoIterator<Item = &'a HeaderName>) -> Self {
        let fixed = FIXED.iter().map(|name| (*name).to_owned());
        let ours = ours.into_iter().map(|name| normal_form(name.as_str()));
        let mut names = vec![Vec::new(); LONGEST + 1];
        let mut openings = [0; ALPHABET];
        for prefix in AFTER_X {
            open(&mut openings, &format!("x{prefix}"));
        }
        for name in fixed.chain(ours) {
            let length = name.len().min(LONGEST);
            open(&mut openings, &name);
            if !names[length].contains(&name) {
                names[length].push(name);
            }
        }
        Self { names, openings }
    }

    /// Removes every spoofable header.
    pub fn clean(&self, bag: &mut impl HeaderBag) -> Cleaned {
        let forged: Vec<HeaderName> =
            bag.headers().keys().filter(|name| self.covers(name.as_str())).cloned().collect();
        for name in &forged {
            bag.remove(name);
        }
        Cleaned(())
    }

    /// Whether a name, in any spelling, is one of them.
    pub fn covers(&self, name: &str) -> bool {
        if !self.may_begin(name) {
            return false;
        }
        let mut buffer = [0; LONGEST];
        match normalise(name, &mut buffer) {
            Some(normal) => self.covers_normal(normal),
            None => self.covers_normal(normal_form(name).as_bytes()),
        }
    }

    fn may_begin(&self, name: &str) -> bool {
        let mut letters = name.bytes().filter_map(letter);
        let Some(first) = letters.next() else { return false };
        let openings = self.openings[first];
        openings != 0 && letters.next().is_none_or(|second| openings & (1 << second) != 0)
    }

    fn covers_normal(&self, normal: &[u8]) -> bool {
        let alike = &self.names[normal.len().min(LONGEST)];
        let after_x = |rest: &[u8]| {
            AFTER_X.iter().any(|prefix| rest.starts_with(prefix.as_bytes()))
                && !CLIENTS_OWN.contains(&normal)
        };
        alike.iter().any(|name| name.as_bytes() == normal)
            || normal.strip_prefix(b"x").is_some_and(after_x)
    }
}

/// A header name with case and punctuation dropped.
pub fn normal_form(name: &str) -> String {
    name.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect()
}

/// The number of a letter or digit in any spelling, and none of a name's other bytes.
fn letter(byte: u8) -> Option<usize> {
    match byte {
        b'a'..=b'z' => Some(usize::from(byte - b'a')),
        b'A'..=b'Z' => Some(usize::from(byte - b'A')),
        b'0'..=b'9' => Some(usize::from(byte - b'0') + 26),
        _ => None,
    }
}

fn open(openings: &mut [u64; ALPHABET], name: &str) {
    let mut letters = name.bytes().filter_map(letter);
    if let Some(first) = letters.next() {
        openings[first] |= letters.next().map_or(u64::MAX, |second| 1 << second);
    }
}

fn normalise<'a>(name: &str, buffer: &'a mut [u8; LONGEST]) -> Option<&'a [u8]> {
    let mut length = 0;
    for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
        *buffer.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    Some(&buffer[..length])
}

/// Letters and digits.
const ALPHABET: usize = 36;
/// Bytes of a name in normal form; longer ones are looked up slowly.
const LONGEST: usize = 64;

/// Never taken from outside, whatever the configuration.
const FIXED: [&str; 25] = [
    "cfconnectingip",
    "clientip",
    "fastlyclientip",
    "forwarded",
    "forwardedfor",
    "frontendhttps",
    "proxy",
    "remoteuser",
    "soapptoken",
    "soticket",
    "trueclientip",
    "xclientip",
    "xclusterclientip",
    "xarrclientcert",
    "xarrssl",
    "xhost",
    "xhttpmethod",
    "xhttpmethodoverride",
    "xmethodoverride",
    "xproxyuserip",
    "xrealip",
    "xremoteuser",
    "xrequestid",
    "xscheme",
    "xurlscheme",
];

/// SuperOffice's Windows client names its version in every request of a web panel
/// (`superid.md` §8); it says nothing of who is calling.
const CLIENTS_OWN: [&[u8]; 1] = [b"xsuperofficemoduleversion"];

/// What follows an `X` in names never taken from outside, whatever follows that.
const AFTER_X: [&str; 7] =
    ["authrequest", "envoy", "forwarded", "original", "rewrite", "superid", "superoffice"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_spoofable_name_is_covered() {
        let spoofable = Spoofable::new(&[HeaderName::from_static("x-who")]);
        for name in [
            "SOTicket",
            "SO_Ticket",
            "so.ticket",
            "S-O-T-I-C-K-E-T",
            "X_Forwarded_For",
            "x-forwarded-anything",
            "X-Original-URL",
            "x_who",
            "XWHO",
            "X-SuperOffice-Email",
            "X-Http-Method-Override",
            "X_Request_Id",
        ] {
            assert!(spoofable.covers(name), "{name}");
        }
        for name in ["accept", "so-language", "X-SuperOffice-ModuleVersion", "sotickets"] {
            assert!(!spoofable.covers(name), "{name}");
        }
    }

    #[test]
    fn a_name_is_recognised_by_whatever_letter_or_digit_it_begins_with() {
        for first in ('0'..='9').chain('a'..='z') {
            let name = format!("{first}-who");
            let ours = HeaderName::try_from(&name).unwrap();
            let spoofable = Spoofable::new(&[ours]);
            assert!(spoofable.covers(&name.to_uppercase()), "{name}");
            assert!(spoofable.covers(&format!("_{name}")), "{name}");
            let short = HeaderName::try_from(format!("{first}")).unwrap();
            assert!(Spoofable::new(&[short]).covers(&format!("-{first}-")), "{first}");
        }
    }

    #[test]
    fn a_name_longer_than_the_buffer_is_still_recognised() {
        let long = HeaderName::try_from("b".repeat(80)).unwrap();
        let spoofable = Spoofable::new(&[long]);
        assert!(spoofable.covers(&"B-".repeat(80)));
        assert!(spoofable.covers(&format!("x-forwarded-{}", "a".repeat(100))));
        assert!(!spoofable.covers(&"a".repeat(100)));
    }
}
