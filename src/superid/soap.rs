//! SOAP 1.1 for SuperID's PartnerSystemUser service (`superid.md` §5): one envelope written, one read.

use std::borrow::Cow;

use quick_xml::escape::{escape, resolve_xml_entity};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use zeroize::Zeroizing;

use crate::crypto::Secret;

use super::exchange::{Exchange, Said};

/// What `SOAPAction` names.
pub(super) const ACTION: &str = "http://www.superoffice.com/superid/partnersystemuser/0.1/IPartnerSystemUserService/Authenticate";

/// The envelope of a request. It holds secrets.
pub(super) fn envelope(asked: &Exchange<'_>) -> String {
    let [signed, application, context] =
        [asked.signed, asked.application, asked.context].map(escape);
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <s:Envelope xmlns:s=\"{ENVELOPE}\" xmlns:p=\"{SERVICE}\">\
         <s:Header><p:ApplicationToken>{application}</p:ApplicationToken>\
         <p:ContextIdentifier>{context}</p:ContextIdentifier></s:Header>\
         <s:Body><p:AuthenticationRequest><p:SignedSystemToken>{signed}</p:SignedSystemToken>\
         <p:ReturnTokenType>Jwt</p:ReturnTokenType></p:AuthenticationRequest></s:Body></s:Envelope>"
    )
}

/// Reads the answer to a request. `None` for a fault, for anything that is not that answer, and for
/// what an answer has no use for: a document type, an unknown entity, a member twice.
pub(super) fn answer(body: &[u8]) -> Option<Said> {
    let text = std::str::from_utf8(body).ok()?.trim_start_matches('\u{feff}');
    let mut reader = NsReader::from_str(text);
    let (mut path, mut members) = (Vec::new(), Members::default());
    loop {
        match reader.read_resolved_event().ok()? {
            (_, Event::Eof) if path.is_empty() => return members.said(),
            (_, Event::DocType(_) | Event::Eof | Event::PI(_)) => return None,
            (space, Event::Start(start)) => {
                path.push(Step::of(path.last().copied(), &space, &start)?);
                members.open(*path.last()?)?;
            }
            (space, Event::Empty(start)) => {
                members.open(Step::of(path.last().copied(), &space, &start)?)?;
            }
            (_, Event::End(_)) => {
                path.pop()?;
            }
            (_, Event::Text(text)) => members.add(path.last().copied(), &text)?,
            (_, Event::CData(text)) => members.add(path.last().copied(), &text)?,
            (_, Event::GeneralRef(named)) => {
                let letter = match named.resolve_char_ref().ok()? {
                    Some(letter) => Cow::Owned(letter.to_string()),
                    None => Cow::Borrowed(resolve_xml_entity(&named)?),
                };
                members.add(path.last().copied(), &letter)?;
            }
            (_, Event::Comment(_) | Event::Decl(_)) => {}
        }
    }
}

/// An element on the way to the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Body,
    Envelope,
    /// A header, or something in it: nothing that concerns us.
    Header,
    Member(Member),
    Response,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    ErrorMessage,
    IsSuccessful,
    Token,
}

impl Step {
    fn of(inside: Option<Self>, space: &ResolveResult<'_>, start: &BytesStart<'_>) -> Option<Self> {
        let local = start.local_name();
        let name: &str = local.as_ref();
        let ResolveResult::Bound(Namespace(space)) = space else {
            return (inside == Some(Self::Header)).then_some(Self::Header);
        };
        Some(match (inside, *space, name) {
            (None, ENVELOPE, "Envelope") => Self::Envelope,
            (Some(Self::Envelope), ENVELOPE, "Header") | (Some(Self::Header), ..) => Self::Header,
            (Some(Self::Envelope), ENVELOPE, "Body") => Self::Body,
            (Some(Self::Body), SERVICE, "AuthenticationResponse") => Self::Response,
            (Some(Self::Response), SERVICE, "IsSuccessful") => Self::Member(Member::IsSuccessful),
            (Some(Self::Response), SERVICE, "Token") => Self::Member(Member::Token),
            (Some(Self::Response), SERVICE, "ErrorMessage") => Self::Member(Member::ErrorMessage),
            _ => return None,
        })
    }
}

#[derive(Default)]
struct Members {
    successful: Option<Zeroizing<String>>,
    token: Option<Zeroizing<String>>,
    message: Option<Zeroizing<String>>,
}

impl Members {
    /// Begins a member; twice is refused.
    fn open(&mut self, step: Step) -> Option<()> {
        let Step::Member(member) = step else { return Some(()) };
        self.of(member).replace(Zeroizing::default()).is_none().then_some(())
    }

    /// Adds text where text belongs; elsewhere only blanks may stand.
    fn add(&mut self, at: Option<Step>, text: &str) -> Option<()> {
        match at {
            Some(Step::Member(member)) => self.of(member).as_mut()?.push_str(text),
            Some(Step::Header) => {}
            _ => return text.bytes().all(|byte| byte.is_ascii_whitespace()).then_some(()),
        }
        Some(())
    }

    fn of(&mut self, member: Member) -> &mut Option<Zeroizing<String>> {
        match member {
            Member::ErrorMessage => &mut self.message,
            Member::IsSuccessful => &mut self.successful,
            Member::Token => &mut self.token,
        }
    }

    fn said(mut self) -> Option<Said> {
        let taken = |text: &mut Option<Zeroizing<String>>| {
            text.as_mut().map(|text| std::mem::take(&mut **text)).unwrap_or_default()
        };
        match self.successful.as_ref()?.trim() {
            "true" | "1" => Some(Said::Token(Secret::new(taken(&mut self.token)))),
            "false" | "0" => Some(Said::Refused(taken(&mut self.message))),
            _ => None,
        }
    }
}

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SERVICE: &str = "http://www.superoffice.com/superid/partnersystemuser/0.1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::superid::repeatable::repeatable;

    fn said(inner: &str) -> Option<String> {
        let text = format!(
            "\u{feff}<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Body>\
             <r:AuthenticationResponse xmlns:r=\"{SERVICE}\">{inner}</r:AuthenticationResponse>\
             </s:Body></s:Envelope>\n"
        );
        match answer(text.as_bytes())? {
            Said::Refused(words) => Some(format!("refused {words}")),
            Said::Token(token) => Some(format!("token {}", token.reveal())),
        }
    }

    #[test]
    fn an_answer_is_read_whatever_its_prefixes_and_escapes() {
        let inner =
            "<r:IsSuccessful> true </r:IsSuccessful><r:Token>a&amp;b&#x63;<![CDATA[<d]]></r:Token>";
        assert_eq!(said(inner).as_deref(), Some("token a&bc<d"));
        let inner = "<!-- no --><r:IsSuccessful>0</r:IsSuccessful><r:ErrorMessage/>";
        assert_eq!(said(inner).as_deref(), Some("refused "));
    }

    #[test]
    fn what_the_answer_has_no_use_for_is_refused() {
        for inner in [
            "",
            "<r:Token>x</r:Token>",
            "<r:IsSuccessful>true</r:IsSuccessful><r:Other/>",
            "<IsSuccessful>true</IsSuccessful>",
            "<r:IsSuccessful>true<r:Token/></r:IsSuccessful>",
            "<r:IsSuccessful>true</r:IsSuccessful><r:IsSuccessful>true</r:IsSuccessful>",
            "<r:IsSuccessful>&true;</r:IsSuccessful>",
            "<r:IsSuccessful>&#0;</r:IsSuccessful>",
            "<?php x?><r:IsSuccessful>true</r:IsSuccessful>",
        ] {
            assert_eq!(said(inner), None, "{inner}");
        }
    }

    proptest::proptest! {
        #![proptest_config(repeatable(512))]

        #[test]
        fn no_answer_makes_us_stumble(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
            inner in "(<(/)?(r:)?(IsSuccessful|Token|ErrorMessage)( x=\"&?\")?/?>|true|&(amp|#1|x);|<!|]]>|-->|<!DOCTYPE x \\[){0,8}"
        ) {
            let _no_panic = answer(&bytes);
            if let Some(said) = said(&inner) {
                proptest::prop_assert!(inner.contains("IsSuccessful"), "{said}");
            }
        }

        #[test]
        fn whatever_is_asked_stays_where_it_belongs(signed in "\\PC{0,40}", secret in "\\PC{0,40}") {
            let asked =
                Exchange { signed: &signed, application: &secret, context: "Cust12345" };
            let text = envelope(&asked);
            let mut reader = NsReader::from_str(&text);
            let mut elements = 0;
            loop {
                match reader.read_event() {
                    Ok(Event::Start(_)) => elements += 1,
                    Ok(Event::Eof) => break,
                    Ok(_) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            proptest::prop_assert_eq!(elements, 8);
        }
    }
}
