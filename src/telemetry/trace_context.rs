//! Which trace a request belongs to, as W3C Trace Context (Recommendation, 2021-11-23) says it.

/// A trace, and the span in it that is the parent of what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    pub trace: [u8; 16],
    pub parent: [u8; 8],
    pub sampled: bool,
    /// What other tracers along the way have to say, as it came.
    pub state: Option<String>,
}

impl TraceContext {
    /// Reads `traceparent` (§3.2) and `tracestate` (§3.3); nothing where the first does not hold. Of a
    /// version after 00 the part that is known is read (§4.3).
    pub fn parse(parent: &str, state: Option<&str>) -> Option<Self> {
        let bytes = parent.as_bytes();
        let known = bytes.get(..55)?;
        let version = hex::<1>(&known[..2])?[0];
        let longer = bytes.get(55).is_some_and(|next| version > 0 && *next == b'-');
        if version == 0xff || (bytes.len() > 55 && !longer) {
            return None;
        }
        if [2, 35, 52].iter().any(|at| known[*at] != b'-') {
            return None;
        }
        let (trace, parent) = (hex::<16>(&known[3..35])?, hex::<8>(&known[36..52])?);
        if trace == [0; 16] || parent == [0; 8] {
            return None;
        }
        let sampled = hex::<1>(&known[53..55])?[0] & 1 == 1;
        let visible = |state: &&str| {
            state.len() <= MOST_STATE && state.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        Some(Self { trace, parent, sampled, state: state.filter(visible).map(str::to_owned) })
    }

    /// `traceparent` for who comes next, whose parent is `span`.
    pub fn header(&self, span: [u8; 8]) -> String {
        let flags = u8::from(self.sampled);
        format!("00-{}-{}-{flags:02x}", spelled(&self.trace), spelled(&span))
    }

    /// The trace's id.
    pub fn trace_id(&self) -> String {
        spelled(&self.trace)
    }
}

/// Lower-case hexadecimal digits alone (§3.2.2).
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

fn spelled(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Letters of `tracestate` that are passed on (§3.3.1.5).
const MOST_STATE: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_holds_is_read_and_written_the_same() {
        let context = TraceContext::parse(PARENT, Some("a=1,b=2")).unwrap();
        assert!(context.sampled);
        assert_eq!(context.state.as_deref(), Some("a=1,b=2"));
        assert_eq!(context.header(context.parent), PARENT);
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        let off = TraceContext::parse(&PARENT.replace("-01", "-02"), None).unwrap();
        assert!(!off.sampled && off.header(off.parent).ends_with("-00"));
        let later = format!("cc{}-what-the-future-will-be-like", &PARENT[2..]);
        assert_eq!(TraceContext::parse(&later, None).unwrap().trace, context.trace);
        let long = "x".repeat(513);
        assert_eq!(TraceContext::parse(PARENT, Some(&long)).unwrap().state, None);
    }

    #[test]
    fn what_does_not_hold_is_as_if_it_were_not_there() {
        for wrong in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x",
        ] {
            assert_eq!(TraceContext::parse(wrong, None), None, "{wrong}");
        }
    }
}
