//! What a ticket says about itself: the tenant it opens (`superid.md` §5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::identity::{ContextId, Ticket};

/// The tenant in a ticket, `7T:` and base64 of UTF-16LE `<32 hex>;<number>;Cust12345`. Nothing when
/// it is not of that form.
pub(super) fn tenant(ticket: &Ticket) -> Option<ContextId> {
    let bytes = Zeroizing::new(STANDARD.decode(ticket.reveal().strip_prefix("7T:")?).ok()?);
    let (units, []) = bytes.as_chunks::<2>() else { return None };
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    let text: Option<Zeroizing<String>> =
        char::decode_utf16(units).collect::<Result<String, _>>().ok().map(Zeroizing::new);
    let text = text?;
    let mut parts = text.split(';');
    let (id, number, tenant) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = number.strip_prefix('-').unwrap_or(number);
    let whole = (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    (hex && whole && parts.next().is_none()).then(|| ContextId::parse(tenant).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        of_bytes(&bytes)
    }

    fn of_bytes(bytes: &[u8]) -> Option<String> {
        let ticket = Ticket::parse(&format!("7T:{}", STANDARD.encode(bytes))).unwrap();
        tenant(&ticket).map(|tenant| tenant.as_str().to_owned())
    }

    const ID: &str = "07f1eddd1de08b1acd6847169a4fb392";

    #[test]
    fn a_ticket_names_its_tenant() {
        assert_eq!(of(&format!("{ID};2087315043;Cust26759")).as_deref(), Some("Cust26759"));
        assert_eq!(of(&format!("{ID};-5;cust1")).as_deref(), Some("Cust1"));
    }

    #[test]
    fn anything_else_names_none() {
        for text in [
            "".to_owned(),
            format!("{ID};5"),
            format!("{ID};5;Cust1;Cust2"),
            format!("{ID};five;Cust1"),
            format!("{ID};;Cust1"),
            format!("{};5;Cust1", &ID[1..]),
            format!("{ID};5;Customer"),
            format!("{ID};5;Cust1 "),
        ] {
            assert_eq!(of(&text), None, "{text}");
        }
        assert_eq!(of_bytes(b"odd"), None);
        assert_eq!(of_bytes(&[0x00, 0xd8]), None);
        for bare in ["7T:", "8A:Cust1.x", "7T:!", "x"] {
            assert!(tenant(&Ticket::parse(bare).unwrap()).is_none(), "{bare}");
        }
    }
}
