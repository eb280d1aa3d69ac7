//! Users and groups of this machine, by number or by name.

use std::fs;

use super::reading::quoted;
use super::value::Value;

/// A user's number.
pub(super) fn user(value: &Value) -> Option<u32> {
    number(value, "/etc/passwd", "user")
}

/// A group's number.
pub(super) fn group(value: &Value) -> Option<u32> {
    number(value, "/etc/group", "group")
}

/// What is written is its number, or a name in `file`. Names from elsewhere, such as a directory
/// server, would take a library that is different on each system.
fn number(value: &Value, file: &str, kind: &str) -> Option<u32> {
    if value.raw.is_integer() {
        return u32::try_from(value.count(0, NOBODY_AT_ALL as usize - 1)?).ok();
    }
    let text = value.text()?;
    if let Ok(number) = text.parse::<u32>()
        && number != NOBODY_AT_ALL
    {
        return Some(number);
    }
    let known = fs::read_to_string(file).unwrap_or_default();
    named(&known, text).or_else(|| {
        value.refuse(
            format!("{} is no {kind} in {file}", quoted(text)),
            format!("write the {kind}'s number, as `id` tells it"),
        )
    })
}

/// The number in a line such as `name:x:1000:…`.
fn named(known: &str, name: &str) -> Option<u32> {
    known.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

/// `(uid_t) -1`, which the system takes for "as it is".
const NOBODY_AT_ALL: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_the_whole_of_it() {
        let known = "root:x:0:0:root:/root:/bin/sh\n\nnightly:x:1007:1007::/:/bin/false\nbad:x\n";
        assert_eq!(named(known, "nightly"), Some(1007));
        assert_eq!(named(known, "root"), Some(0));
        for name in ["night", "", "bad", "x", "NIGHTLY"] {
            assert_eq!(named(known, name), None, "{name}");
        }
    }
}
