//! A file of keys that seal: the one that does, the one that will, those that did, and those revoked.
//!
//! A file of one key, in base64 and no more, is such a file:
//!
//! ```text
//! <key>             seals, and opens
//! next <key>        opens: it seals after the next turn
//! old <key> <time>  opens; it sealed until then, in seconds since 1970
//! revoked <name>    opens nothing, and neither does what it ever sealed
//! ```

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::seal::{KeyId, KeyRing};

/// A key of 256 bits; wiped when dropped.
pub type Key = Zeroizing<[u8; 32]>;

/// What such a file says.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyList {
    sealing: Key,
    next: Option<Key>,
    old: Vec<(Key, u64)>,
    revoked: Vec<KeyId>,
}

/// What a turn did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There is a new key, which opens.
    Known(KeyId),
    /// The one that was new seals, and this one did until now.
    Seals { now: KeyId, before: KeyId },
}

/// How a key stands in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Next,
    /// It sealed until then, in seconds since 1970.
    Old(u64),
    Revoked,
    Sealing,
}

/// Why a text is no list of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKeyList {
    #[error("holds no key that seals")]
    Empty,
    #[error("is not base64")]
    NotBase64,
    #[error("says {0} twice, and one of them is enough")]
    Twice(&'static str),
    #[error("holds {0} bytes, not 32")]
    Length(usize),
    #[error("has a line that begins as no line of a key file does")]
    Line,
}

impl KeyList {
    /// A list of one key, which seals.
    pub fn of(sealing: Key) -> Self {
        Self { sealing, next: None, old: Vec::new(), revoked: Vec::new() }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`NoKeyList`].
    pub fn read(text: &str) -> Result<Self, NoKeyList> {
        let (mut sealing, mut next, mut old, mut revoked) = (None, None, Vec::new(), Vec::new());
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match words[..] {
                ["next", given] if next.is_none() => next = Some(key(given)?),
                ["next", _] => return Err(NoKeyList::Twice("next")),
                ["old", given, time] => {
                    old.push((key(given)?, time.parse().map_err(|_| NoKeyList::Line)?));
                }
                ["revoked", name] => revoked.push(name_of(name).ok_or(NoKeyList::Line)?),
                [given] if sealing.is_none() => sealing = Some(key(given)?),
                [_] => return Err(NoKeyList::Twice("which key seals")),
                ["old" | "revoked", ..] => return Err(NoKeyList::Line),
                _ => return Err(NoKeyList::NotBase64),
            }
        }
        Ok(Self { sealing: sealing.ok_or(NoKeyList::Empty)?, next, old, revoked })
    }

    /// As it is written.
    pub fn to_text(&self) -> Zeroizing<String> {
        let base64 = |key: &Key| Zeroizing::new(STANDARD.encode(**key));
        let mut text = Zeroizing::new(format!("{}\n", *base64(&self.sealing)));
        if let Some(next) = &self.next {
            text.push_str(&Zeroizing::new(format!("next {}\n", *base64(next))));
        }
        for (old, time) in &self.old {
            text.push_str(&Zeroizing::new(format!("old {} {time}\n", *base64(old))));
        }
        for name in &self.revoked {
            text.push_str(&format!("revoked {}\n", named(*name)));
        }
        text
    }

    /// Those that open, the one that seals first.
    pub fn keys(&self) -> impl Iterator<Item = &[u8; 32]> {
        let others = self.next.iter().chain(self.old.iter().map(|(key, _)| key));
        std::iter::once(&self.sealing).chain(others).map(|key| &**key)
    }

    /// Those whose sessions are over.
    pub fn revoked(&self) -> &[KeyId] {
        &self.revoked
    }

    /// Every key by its name.
    pub fn standings(&self) -> Vec<(KeyId, Standing)> {
        let mut all = vec![(id(&self.sealing), Standing::Sealing)];
        all.extend(self.next.iter().map(|key| (id(key), Standing::Next)));
        all.extend(self.old.iter().map(|(key, time)| (id(key), Standing::Old(*time))));
        all.extend(self.revoked.iter().map(|name| (*name, Standing::Revoked)));
        all
    }

    /// One step of a rotation: a fresh key becomes known, or the one that is known seals.
    pub fn turn(&mut self, fresh: Key, now: u64) -> Turn {
        match self.next.take() {
            None => {
                let known = id(&fresh);
                self.next = Some(fresh);
                Turn::Known(known)
            }
            Some(next) => {
                let before = std::mem::replace(&mut self.sealing, next);
                let turn = Turn::Seals { now: id(&self.sealing), before: id(&before) };
                self.old.insert(0, (before, now));
                turn
            }
        }
    }

    /// Takes out those that sealed nothing since then.
    pub fn retire(&mut self, since: u64) -> Vec<KeyId> {
        let gone = self.old.iter().filter(|(_, until)| *until <= since);
        let gone = gone.map(|(key, _)| id(key)).collect();
        self.old.retain(|(_, until)| *until > since);
        gone
    }

    /// Revokes a key, be it in the list or not. Where it was the one that seals, the next one does, or
    /// a fresh one.
    pub fn revoke(&mut self, name: KeyId, fresh: Key) {
        self.next.take_if(|key| id(key) == name);
        self.old.retain(|(key, _)| id(key) != name);
        if id(&self.sealing) == name {
            self.sealing = self.next.take().unwrap_or(fresh);
        }
        if !self.revoked.contains(&name) {
            self.revoked.push(name);
        }
    }
}

/// A key's name, as people write it: eight letters.
pub fn named(name: KeyId) -> String {
    name.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads [`named`].
pub fn name_of(text: &str) -> Option<KeyId> {
    let letters = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(text, 16).ok().filter(|_| letters)?;
    Some(number.to_be_bytes())
}

/// Says how many there are, and none of them.
impl fmt::Debug for KeyList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "KeyList({:?})", self.standings())
    }
}

fn key(text: &str) -> Result<Key, NoKeyList> {
    let standard = Zeroizing::new(text.replace('-', "+").replace('_', "/"));
    let decoded = BASE64.decode(standard.as_bytes()).map_err(|_| NoKeyList::NotBase64)?;
    let decoded = Zeroizing::new(decoded);
    let key = <[u8; 32]>::try_from(decoded.as_slice());
    key.map(Zeroizing::new).map_err(|_| NoKeyList::Length(decoded.len()))
}

fn id(key: &Key) -> KeyId {
    KeyRing::name_of(key)
}

/// With or without padding; the url-safe letters are replaced beforehand.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(byte: u8) -> Key {
        Zeroizing::new([byte; 32])
    }

    #[test]
    fn a_rotation_takes_two_turns_and_nothing_stops_opening_before_it_is_retired() {
        let mut list = KeyList::read(&STANDARD.encode([1; 32])).unwrap();
        let (one, two) = (id(&fresh(1)), id(&fresh(2)));
        assert_eq!(list.turn(fresh(2), 100), Turn::Known(two));
        assert_eq!(list.keys().collect::<Vec<_>>(), [&[1; 32], &[2; 32]], "the first one seals");
        assert_eq!(list.turn(fresh(3), 200), Turn::Seals { now: two, before: one });
        assert_eq!(list.keys().collect::<Vec<_>>(), [&[2; 32], &[1; 32]]);
        assert_eq!(list.standings(), [(two, Standing::Sealing), (one, Standing::Old(200))]);
        assert_eq!(KeyList::read(&list.to_text()).unwrap(), list);
        assert!(list.retire(199).is_empty());
        assert_eq!(list.retire(200), [one]);
        assert_eq!(list.keys().count(), 1);
    }

    #[test]
    fn a_revoked_key_opens_nothing_whatever_it_was() {
        for byte in [1, 2, 3] {
            let mut list = KeyList::of(fresh(3));
            for now in [100, 200] {
                list.turn(fresh(1), now);
            }
            list.turn(fresh(2), 300);
            let name = id(&fresh(byte));
            list.revoke(name, fresh(9));
            assert!(list.keys().all(|key| *key != [byte; 32]) && list.keys().count() == 2);
            assert_eq!(list.revoked(), [name]);
            assert_eq!(KeyList::read(&list.to_text()).unwrap(), list);
        }
        let mut alone = KeyList::of(fresh(1));
        alone.revoke(id(&fresh(1)), fresh(9));
        assert_eq!(alone.keys().collect::<Vec<_>>(), [&[9; 32]]);
    }

    #[test]
    fn what_is_no_list_says_why() {
        let good = STANDARD.encode([1; 32]);
        for (text, why) in [
            (String::new(), NoKeyList::Empty),
            ("# nothing\n".to_owned(), NoKeyList::Empty),
            ("AAAA".to_owned(), NoKeyList::Length(3)),
            ("not base64!".to_owned(), NoKeyList::NotBase64),
            ("not-base64!".to_owned(), NoKeyList::NotBase64),
            (format!("{good}\n{good}"), NoKeyList::Twice("which key seals")),
            (format!("{good}\nnext {good}\nnext {good}"), NoKeyList::Twice("next")),
            (format!("{good}\nold {good}"), NoKeyList::Line),
            (format!("{good}\nold {good} soon"), NoKeyList::Line),
            (format!("{good}\nrevoked +abcdef1"), NoKeyList::Line),
        ] {
            assert_eq!(KeyList::read(&text).unwrap_err(), why, "{text}");
        }
    }
}
