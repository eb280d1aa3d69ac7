//! Which of a cluster's nodes a key lies on (Redis Cluster specification, "Key distribution model").

use redis::{Arg, Cmd, Value};

use crate::config::RedisNode;

/// Who has which slots, in order of the slots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Slots(Vec<Range>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    first: u16,
    last: u16,
    owner: RedisNode,
}

impl Slots {
    /// Reads what `CLUSTER SLOTS` answers; `asked` is who said so, and meant where no host is named.
    pub fn read(answer: &Value, asked: &RedisNode) -> Option<Self> {
        let Value::Array(ranges) = answer else { return None };
        let mut ranges = ranges.iter().map(|one| range(one, asked)).collect::<Option<Vec<_>>>()?;
        ranges.sort();
        (!ranges.is_empty()).then_some(Self(ranges))
    }

    /// Who has a slot.
    pub fn owner(&self, slot: u16) -> Option<&RedisNode> {
        let after = self.0.partition_point(|range| range.last < slot);
        self.0.get(after).filter(|range| range.first <= slot).map(|range| &range.owner)
    }

    /// Everybody who has slots; some several times.
    pub fn owners(&self) -> impl Iterator<Item = &RedisNode> {
        self.0.iter().map(|range| &range.owner)
    }

    /// Whether no slot is without an owner.
    pub fn are_all_owned(&self) -> bool {
        let mut next = 0;
        for range in &self.0 {
            if range.first != next {
                return false;
            }
            next = range.last + 1;
        }
        next == SLOTS
    }
}

/// The slot of a command's first key; `None` where it has none.
pub(super) fn slot_of(command: &Cmd) -> Option<u16> {
    let mut parts = command.args_iter().map(|part| match part {
        Arg::Simple(bytes) => Some(bytes),
        _ => None,
    });
    let key = match parts.next()?? {
        b"PING" | b"INFO" | b"CONFIG" | b"WAITAOF" => None,
        // EVAL, the script, how many keys, and the keys.
        b"EVAL" => parts.nth(2)?,
        _ => parts.next()?,
    };
    key.map(slot)
}

/// The slot of a key: of the part in braces, where there is one.
fn slot(key: &[u8]) -> u16 {
    let hashed = || {
        let open = key.iter().position(|byte| *byte == b'{')?;
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    };
    crc16(hashed().unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM: polynomial 0x1021, beginning at 0.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| match crc & 0x8000 {
            0 => crc << 1,
            _ => (crc << 1) ^ 0x1021,
        })
    })
}

fn range(value: &Value, asked: &RedisNode) -> Option<Range> {
    let Value::Array(parts) = value else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(owner), ..] = parts.as_slice() else {
        return None;
    };
    let [host, Value::Int(port), ..] = owner.as_slice() else { return None };
    let host = match host {
        Value::BulkString(host) => std::str::from_utf8(host).ok()?,
        Value::Nil => "",
        _ => return None,
    };
    // A node that does not know its own name is where we found it.
    let host = if matches!(host, "" | "?") { &asked.host } else { host };
    let owner = RedisNode { host: host.to_owned(), port: u16::try_from(*port).ok()? };
    let (first, last) = (u16::try_from(*first).ok()?, u16::try_from(*last).ok()?);
    (first <= last && last < SLOTS).then_some(Range { first, last, owner })
}

const SLOTS: u16 = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    fn node(port: u16) -> RedisNode {
        RedisNode { host: "127.0.0.1".to_owned(), port }
    }

    #[test]
    fn keys_lie_where_the_specification_says() {
        assert_eq!(crc16(b"123456789"), 0x31c3, "the specification's own example");
        assert_eq!(slot(b"foo"), 12_182);
        assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
        assert_eq!(slot(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS, "nothing in braces");
        assert_eq!(slot(b"foo{{bar}}zap"), crc16(b"{bar") % SLOTS);
    }

    #[test]
    fn a_command_goes_where_its_first_key_lies() {
        let command = |parts: &[&str]| {
            let mut command = redis::cmd(parts[0]);
            for part in &parts[1..] {
                command.arg(part);
            }
            slot_of(&command)
        };
        assert_eq!(command(&["GET", "foo"]), Some(12_182));
        assert_eq!(command(&["EVAL", "return 1", "2", "foo", "bar"]), Some(12_182));
        assert_eq!(command(&["ZREM", "foo", "bar"]), Some(12_182));
        assert_eq!(command(&["PING"]), None);
        assert_eq!(command(&["INFO", "persistence"]), None);
    }

    #[test]
    fn who_has_a_slot_is_read_and_what_is_strange_is_not() {
        let range = |first: i64, last: i64, host: &str, port: i64| {
            let owner = vec![Value::BulkString(host.as_bytes().to_vec()), Value::Int(port)];
            Value::Array(vec![Value::Int(first), Value::Int(last), Value::Array(owner)])
        };
        let halves = [range(8_192, 16_383, "127.0.0.1", 2), range(0, 8_191, "", 1)];
        let slots = Slots::read(&Value::Array(halves.to_vec()), &node(1)).unwrap();
        assert_eq!(slots.owner(0), Some(&node(1)));
        assert_eq!(slots.owner(8_191), Some(&node(1)));
        assert_eq!(slots.owner(16_383), Some(&node(2)));
        assert!(slots.are_all_owned());
        let gap = [range(0, 100, "127.0.0.1", 1), range(102, 16_383, "127.0.0.1", 2)];
        let gap = Slots::read(&Value::Array(gap.to_vec()), &node(1)).unwrap();
        assert!(!gap.are_all_owned() && gap.owner(101).is_none());
        for strange in [
            Value::Nil,
            Value::Array(Vec::new()),
            Value::Array(vec![range(9, 8, "x", 1)]),
            Value::Array(vec![range(0, 16_384, "x", 1)]),
            Value::Array(vec![range(0, 1, "x", 70_000)]),
        ] {
            assert_eq!(Slots::read(&strange, &node(1)), None, "{strange:?}");
        }
    }
}
