//! A partner key's file: whatever is read is a key within bounds, and the same in every form.

use superid_gateway::crypto::{PartnerKey, Secret, WeakKeys};

/// Reads them as the text of a key whose pass phrase is `hello`.
pub fn partner_key(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Ok(key) = PartnerKey::read(&text, Some(&Secret::new("hello".to_owned()))) else {
        return false;
    };
    assert!((1024..=8192).contains(&key.bits()), "{key:?}");
    for form in [key.to_pem(), key.to_pkcs1_pem(), key.to_xml()] {
        let again = PartnerKey::read(form.reveal(), None).expect("what we write we read");
        assert_eq!(again.fingerprint(), key.fingerprint());
        assert_eq!(again.to_xml().reveal(), key.to_xml().reveal());
    }
    if let Ok(signing) = key.signing(WeakKeys::Refused) {
        assert!(signing.bits() >= 2048);
        assert!(signing.sign(bytes).is_ok_and(|signature| signature.len() * 8 >= 2048));
    }
    true
}
