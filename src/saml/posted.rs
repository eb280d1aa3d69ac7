//! What was posted, measured and looked over before any parser sees it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::refused::SamlRefused;

/// Bytes of XML that are looked at; an assertion of SuperID's has under 10,000.
pub const LONGEST: usize = 128 * 1024;

/// Undoes the base64 of a form field. Line ends, which encoders put there, are skipped.
pub(super) fn decoded(field: &str) -> Result<Vec<u8>, SamlRefused> {
    // A third more for the encoding, and as much again for line ends.
    if field.len() > LONGEST * 2 {
        return Err(SamlRefused::TooLarge);
    }
    let plain: Vec<u8> = field.bytes().filter(|byte| !b"\r\n\t".contains(byte)).collect();
    STANDARD.decode(plain).map_err(|_| SamlRefused::Encoding)
}

/// The text of a document that may be parsed: bounded in everything a parser's cost grows with, in
/// UTF-8, XML 1.0, and without anything that declares.
///
/// `<!` and `<?` are refused wherever they stand, even where they would be harmless text: whether
/// they are is what parsers have disagreed on.
pub(super) fn text(bytes: &[u8]) -> Result<&str, SamlRefused> {
    if bytes.len() > LONGEST {
        return Err(SamlRefused::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| SamlRefused::Encoding)?;
    let text = without_declaration(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let (mut tags, mut attributes, mut of_one) = (0, 0, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'<' => {
                tags += 1;
                of_one = 0;
                let rest = &text.as_bytes()[at + 1..];
                let declares = rest.starts_with(b"!")
                    && !rest.starts_with(b"!--")
                    && !rest.starts_with(b"![CDATA[");
                if declares || rest.starts_with(b"?") {
                    return Err(SamlRefused::Doctype);
                }
            }
            b'=' => {
                attributes += 1;
                of_one += 1;
                if of_one > MOST_OF_ONE {
                    return Err(SamlRefused::TooLarge);
                }
            }
            _ => {}
        }
    }
    if tags > MOST_PARTS || attributes > MOST_PARTS {
        return Err(SamlRefused::TooLarge);
    }
    Ok(text)
}

/// Behind the XML declaration, which may say 1.0 and UTF-8 and nothing else (XML 1.0 §2.8).
fn without_declaration(text: &str) -> Result<&str, SamlRefused> {
    let Some(rest) = text.strip_prefix("<?xml") else { return Ok(text) };
    let (declaration, rest) = rest.split_once("?>").ok_or(SamlRefused::Encoding)?;
    let mut said = Vec::new();
    for part in declaration.split_ascii_whitespace() {
        let (name, value) = part.split_once('=').ok_or(SamlRefused::Encoding)?;
        said.push((name, value.trim_matches(['"', '\'']).to_ascii_lowercase()));
    }
    let fits = |at: usize, (name, value): &(&str, String)| match (at, *name) {
        (0, "version") => value == "1.0",
        (1, "encoding") => value == "utf-8",
        (1 | 2, "standalone") => value == "yes" || value == "no",
        _ => false,
    };
    let known = !said.is_empty() && said.iter().enumerate().all(|(at, part)| fits(at, part));
    if known { Ok(rest) } else { Err(SamlRefused::Encoding) }
}

/// Tags, and signs of equality, which every attribute has.
const MOST_PARTS: usize = 4_096;
/// Signs of equality from one tag to the next. Parsers look for duplicates among the attributes of
/// an element by comparing each with each.
const MOST_OF_ONE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_says_one_version_and_one_encoding() {
        for good in [
            "<a/>",
            "<?xml version=\"1.0\"?><a/>",
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><a/>",
            "<?xml version='1.0' encoding='UTF-8' standalone='no'?><a/>",
            "\u{feff}<?xml version=\"1.0\" standalone=\"yes\"?><a/>",
        ] {
            assert_eq!(text(good.as_bytes()), Ok("<a/>"), "{good}");
        }
        for odd in [
            "<?xml?><a/>",
            "<?xml version=\"1.1\"?><a/>",
            "<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>",
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>",
            "<?xml encoding=\"utf-8\"?><a/>",
            "<?xml version=\"1.0\" other=\"1\"?><a/>",
            "<?xml version=\"1.0\"",
            "<?xml-stylesheet href=\"x\"?><a/>",
        ] {
            assert_eq!(text(odd.as_bytes()), Err(SamlRefused::Encoding), "{odd}");
        }
        assert_eq!(text(b"<a>\xff</a>"), Err(SamlRefused::Encoding));
    }

    #[test]
    fn declarations_are_refused_wherever_they_stand() {
        for odd in [
            "<!DOCTYPE a><a/>",
            "<a><!ENTITY x 'y'></a>",
            "<a>text<?target data?></a>",
            "<a/><?xml version=\"1.0\"?>",
            " <?xml version=\"1.0\"?><a/>",
            "<a><![CDATA[<!DOCTYPE b>]]></a>",
        ] {
            assert_eq!(text(odd.as_bytes()), Err(SamlRefused::Doctype), "{odd}");
        }
        assert!(text(b"<a><!-- c --><![CDATA[x]]></a>").is_ok());
    }

    #[test]
    fn everything_a_parser_pays_for_is_bounded() {
        assert_eq!(text(&vec![b'a'; LONGEST + 1]), Err(SamlRefused::TooLarge));
        assert_eq!(text("<a>".repeat(4_097).as_bytes()), Err(SamlRefused::TooLarge));
        assert_eq!(text("a=''".repeat(4_097).as_bytes()), Err(SamlRefused::TooLarge));
        let one = format!("<a{}/>", " a=''".repeat(257));
        assert_eq!(text(one.as_bytes()), Err(SamlRefused::TooLarge));
        assert_eq!(decoded(&"A".repeat(LONGEST * 2 + 1)), Err(SamlRefused::TooLarge));
    }

    #[test]
    fn base64_may_have_line_ends_and_nothing_else() {
        assert_eq!(decoded("PGEv\r\nPg==").as_deref(), Ok(&b"<a/>"[..]));
        for odd in ["PGEv Pg==", "PGEvPg", "PGEvPg=", "%3D", "PGEvPg==PGEvPg=="] {
            assert_eq!(decoded(odd), Err(SamlRefused::Encoding), "{odd}");
        }
    }
}
