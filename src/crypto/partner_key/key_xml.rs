//! RSAKeyValue XML, the form SuperOffice gives keys out in (`superid.md` §5), read strictly: its
//! eight parts once each, and nothing a key has no use for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use zeroize::Zeroizing;

use super::KeyRefused;
use super::components::{Components, Part};

/// Reads the numbers. A document type, an entity, an attribute or an unknown element is refused.
pub(super) fn read(text: &str) -> Result<Components, KeyRefused> {
    let mut found: [Option<Zeroizing<Vec<u8>>>; 8] = Default::default();
    let mut reader = Reader::from_str(text);
    let mut place = Place::Before;
    loop {
        let event = reader.read_event().map_err(|_| KeyRefused::Malformed)?;
        place = match (place, event) {
            (Place::Before, Event::Decl(_)) => Place::Before,
            (Place::Before, Event::Start(start)) if start.name().as_ref() == ROOT => {
                bare(start.attributes().next().is_none())?;
                Place::Inside
            }
            (Place::Before, Event::Start(_)) => return Err(KeyRefused::NotAKey),
            (Place::Inside, Event::Start(start)) => {
                bare(start.attributes().next().is_none())?;
                Place::In(part(start.name().as_ref())?, Zeroizing::new(Vec::with_capacity(DIGITS)))
            }
            (Place::Inside, Event::End(_)) => Place::After,
            (Place::In(part, mut digits), Event::Text(text)) => {
                digits.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
                Place::In(part, digits)
            }
            (Place::In(part, digits), Event::End(_)) => {
                let number = STANDARD.decode(&*digits).map_err(|_| KeyRefused::Malformed)?;
                let before = found[part as usize].replace(Zeroizing::new(number));
                bare(before.is_none())?;
                Place::Inside
            }
            (Place::After, Event::Eof) => return whole(found),
            (place, Event::Text(text)) if text.bytes().all(|byte| byte.is_ascii_whitespace()) => {
                place
            }
            _ => return Err(KeyRefused::Malformed),
        };
    }
}

/// The document .NET reads: each number as long as its place in the key, which it insists on.
pub(super) fn write(key: &Components) -> Zeroizing<String> {
    let whole = key.of(Part::Modulus).len();
    let mut xml = Zeroizing::new(String::with_capacity(whole * 8));
    xml.push_str("<RSAKeyValue>");
    for (name, part) in NAMES {
        let number = key.of(part);
        let length = match part {
            Part::Modulus | Part::Exponent => number.len(),
            Part::D => whole,
            _ => whole.div_ceil(2),
        };
        let mut padded = Zeroizing::new(vec![0; length.saturating_sub(number.len())]);
        padded.extend_from_slice(number);
        let digits = Zeroizing::new(STANDARD.encode(&*padded));
        for piece in ["<", name, ">", &digits, "</", name, ">"] {
            xml.push_str(piece);
        }
    }
    xml.push_str("</RSAKeyValue>\n");
    xml
}

/// Where the reading is.
enum Place {
    Before,
    Inside,
    In(Part, Zeroizing<Vec<u8>>),
    After,
}

fn whole(found: [Option<Zeroizing<Vec<u8>>>; 8]) -> Result<Components, KeyRefused> {
    let [modulus, exponent, private @ ..] = &found;
    if modulus.is_some() && exponent.is_some() && private.iter().all(Option::is_none) {
        return Err(KeyRefused::PublicOnly);
    }
    if found.iter().any(Option::is_none) {
        return Err(KeyRefused::Malformed);
    }
    Components::new(found.map(Option::unwrap_or_default))
}

fn part(name: &str) -> Result<Part, KeyRefused> {
    let known = NAMES.iter().find(|(known, _)| *known == name);
    known.map(|(_, part)| *part).ok_or(KeyRefused::Malformed)
}

#[expect(clippy::fn_params_excessive_bools, reason = "the condition itself is what is passed")]
fn bare(holds: bool) -> Result<(), KeyRefused> {
    if holds { Ok(()) } else { Err(KeyRefused::Malformed) }
}

/// Room for the digits of 8,192 bits, so that growing leaves no copies behind.
const DIGITS: usize = 1536;
const ROOT: &str = "RSAKeyValue";
/// In the order .NET writes them.
const NAMES: [(&str, Part); 8] = [
    ("Modulus", Part::Modulus),
    ("Exponent", Part::Exponent),
    ("P", Part::P),
    ("Q", Part::Q),
    ("DP", Part::DP),
    ("DQ", Part::DQ),
    ("InverseQ", Part::InverseQ),
    ("D", Part::D),
];

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = include_str!("../../../tests/config/partner_keys/1024.xml");

    fn refusal(text: &str) -> Option<KeyRefused> {
        read(text.trim()).err()
    }

    #[test]
    fn a_declaration_blanks_and_any_order_are_taken() {
        let (start, d) = KEY.trim().split_once("  <D>").unwrap();
        let (d, end) = d.split_once('\n').unwrap();
        let first = start.replace("<RSAKeyValue>", &format!("<RSAKeyValue><D>{d}\n"));
        let moved = format!("<?xml version=\"1.0\" encoding=\"utf-8\" ?>\r\n{first}{end}");
        let written = write(&read(&moved).unwrap_or_else(|refused| panic!("{refused}: {moved}")));
        let squeezed: String = KEY.split_whitespace().collect();
        assert_eq!(written.trim(), squeezed);
    }

    #[test]
    fn what_a_key_has_no_use_for_is_refused() {
        assert_eq!(refusal(KEY), None);
        for text in [
            format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{KEY}"),
            KEY.replace("AQAB", "&e;"),
            KEY.replace("AQAB", "&#65;QAB"),
            KEY.replace("AQAB", "<![CDATA[AQAB]]>"),
            KEY.replace("AQAB", "AQAB=="),
            KEY.replace("AQAB", "AQ<!-- -->AB"),
            KEY.replace("AQAB", ""),
            KEY.replace("AQAB", "AA=="),
            KEY.replace("AQAB", "AQ=="),
            KEY.replace("<D>", "<D x=\"1\">"),
            KEY.replace("<D>", "<D><Z/>"),
            KEY.replace("<RSAKeyValue>", "<RSAKeyValue x=\"1\">"),
            KEY.replace("<RSAKeyValue>", "<RSAKeyValue><Exponent>AQAB</Exponent>"),
            KEY.replace("<RSAKeyValue>", "<RSAKeyValue>stray"),
            KEY.replace("InverseQ", "InverseP"),
            KEY.replace("</RSAKeyValue>", ""),
            KEY.replace("<RSAKeyValue>", "<RSAKeyValue>&amp;"),
            format!("{KEY}<x/>"),
            format!("<?php x?>{KEY}"),
        ] {
            assert_eq!(refusal(&text), Some(KeyRefused::Malformed), "{:.60}", text);
        }
        assert_eq!(refusal("<html></html>"), Some(KeyRefused::NotAKey));
    }

    #[test]
    fn a_public_half_and_a_toy_key_are_told_apart() {
        let end = KEY.find("  <P>").unwrap();
        let public = format!("{}</RSAKeyValue>", &KEY[..end]);
        assert_eq!(refusal(&public), Some(KeyRefused::PublicOnly));
        let small = KEY.lines().map(|line| match line.trim().strip_prefix("<Modulus>") {
            Some(_) => "<Modulus>w///</Modulus>".to_owned(),
            None => line.to_owned(),
        });
        assert_eq!(refusal(&small.collect::<String>()), Some(KeyRefused::Size));
    }
}
