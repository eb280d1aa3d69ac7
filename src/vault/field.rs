//! Names as bytes that sort as the names do.

use super::record::Name;

/// The three parts one after another, a zero byte behind the first two. Zero bytes inside a part,
/// which no real name has, are followed by `FF`, which no text has.
pub(super) fn field(name: &Name) -> Vec<u8> {
    let parts = [&name.environment, &name.client_id, &name.tenant];
    let escaped = parts.map(|part| {
        let bytes = part.bytes().flat_map(|byte| match byte {
            0 => [Some(0), Some(0xff)],
            other => [Some(other), None],
        });
        bytes.flatten().collect::<Vec<u8>>()
    });
    escaped.join(&0)
}

/// The name those bytes stand for; what is not text in it is replaced.
pub(super) fn name(field: &[u8]) -> Name {
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    let (mut part, mut at) = (0, 0);
    while let Some(byte) = field.get(at) {
        match (byte, field.get(at + 1)) {
            (0, Some(0xff)) => {
                parts[part].push(0);
                at += 1;
            }
            (0, _) if part < 2 => part += 1,
            (other, _) => parts[part].push(*other),
        }
        at += 1;
    }
    let [environment, client_id, tenant] =
        parts.map(|part| String::from_utf8_lossy(&part).into_owned());
    Name { environment, client_id, tenant }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_and_sorts_as_before() {
        let parts = ["", "\0", "\0\0", "\0a", "a", "a\0", "a\0b", "ab", "b", "\u{7f}", "é"];
        let mut names = Vec::new();
        for environment in parts {
            for client_id in parts {
                for tenant in parts {
                    names.push(Name {
                        environment: environment.to_owned(),
                        client_id: client_id.to_owned(),
                        tenant: tenant.to_owned(),
                    });
                }
            }
        }
        names.sort();
        let fields: Vec<Vec<u8>> = names.iter().map(field).collect();
        assert!(fields.is_sorted_by(|one, next| one < next));
        let back: Vec<Name> = fields.iter().map(|field| name(field)).collect();
        assert_eq!(back, names);
    }

    #[test]
    fn bytes_that_are_no_name_are_one_all_the_same() {
        for bytes in [&b""[..], b"\0\0\0\0", b"\xff\0\xff\0", b"a"] {
            let _does_not_panic = name(bytes);
        }
    }
}
