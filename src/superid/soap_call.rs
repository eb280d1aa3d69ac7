//! Credentials into the SOAP header of a call that passes (`superid.md` §6), without waiting for its
//! end: the envelope is read up to its body, and the rest goes on as it comes.

use std::ops::Range;

use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use zeroize::Zeroizing;

/// What a call's header is given.
#[derive(Clone, Copy)]
pub struct SoapHeader<'a> {
    /// The namespace of the service's version: its path has it (`Services88`).
    pub version: &'a str,
    /// The client secret.
    pub application_token: &'a str,
    pub ticket: &'a str,
}

/// The beginning of a call's body, as far as it has come.
#[derive(Default)]
pub struct SoapCall {
    begun: Zeroizing<Vec<u8>>,
    passed: bool,
    /// How often the beginning was read.
    looks: u32,
}

/// A body that is no SOAP call this can be done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a SOAP envelope in UTF-8 whose header ends within 64 KiB")]
pub struct NotSoap;

impl SoapCall {
    /// Takes a piece of the body and gives back what may go on: nothing yet, or the beginning with
    /// the credentials in it, or the piece itself. What the caller wrote of the same names is left
    /// out.
    ///
    /// # Errors
    /// [`NotSoap`]; nothing of it has gone on then.
    pub fn take(&mut self, piece: &[u8], header: SoapHeader<'_>) -> Result<Vec<u8>, NotSoap> {
        if self.passed {
            return Ok(piece.to_vec());
        }
        self.begun.extend_from_slice(piece);
        // Only a tag's end can end the header, and what drips is not looked at without end.
        let worth_a_look = piece.contains(&b'>') && self.looks < MOST_LOOKS;
        self.looks += u32::from(worth_a_look);
        let head = if worth_a_look { head(&self.begun)? } else { None };
        match head {
            Some(head) => {
                self.passed = true;
                Ok(head.filled(&std::mem::take(&mut self.begun), header))
            }
            None if self.begun.len() > LONGEST || self.looks >= MOST_LOOKS => Err(NotSoap),
            None => Ok(Vec::new()),
        }
    }

    /// Whether the header has gone on.
    pub fn has_passed(&self) -> bool {
        self.passed
    }
}

/// Where things are in the beginning of an envelope.
struct Head {
    /// Where elements of the header may begin.
    inside: Inside,
    /// What the caller wrote of the same names.
    theirs: Vec<Range<usize>>,
}

enum Inside {
    /// After the header's start tag.
    At(usize),
    /// The header is empty: its only tag, and its qualified name.
    Instead(Range<usize>, String),
    /// There is none: before the body, with the body's prefix.
    Before(usize, String),
}

impl Head {
    fn filled(&self, begun: &[u8], header: SoapHeader<'_>) -> Vec<u8> {
        let elements = elements(header);
        let (cut, before, after) = match &self.inside {
            Inside::At(at) => (*at..*at, String::new(), String::new()),
            Inside::Instead(tag, name) => (tag.clone(), format!("<{name}>"), format!("</{name}>")),
            Inside::Before(at, prefix) => {
                (*at..*at, format!("<{prefix}Header>"), format!("</{prefix}Header>"))
            }
        };
        let mut out = Vec::with_capacity(begun.len() + elements.len() + 64);
        out.extend_from_slice(&begun[..cut.start]);
        for part in [before.as_bytes(), elements.as_bytes(), after.as_bytes()] {
            out.extend_from_slice(part);
        }
        let mut from = cut.end;
        for theirs in &self.theirs {
            out.extend_from_slice(&begun[from..theirs.start]);
            from = theirs.end;
        }
        out.extend_from_slice(&begun[from..]);
        out
    }
}

fn elements(header: SoapHeader<'_>) -> Zeroizing<String> {
    let namespace = escape([NAMESPACE, header.version].concat());
    let (token, ticket) = (escape(header.application_token), escape(header.ticket));
    Zeroizing::new(format!(
        "<ApplicationToken xmlns=\"{namespace}\">{token}</ApplicationToken>\
         <Credentials xmlns=\"{namespace}\"><Ticket>{ticket}</Ticket></Credentials>"
    ))
}

/// Reads as far as the header's end, or the body's begin; `None` where more has to come first.
fn head(begun: &[u8]) -> Result<Option<Head>, NotSoap> {
    let text = match std::str::from_utf8(begun) {
        Ok(text) => text,
        // A letter may be cut in two where the piece ends, and nowhere else.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&begun[..error.valid_up_to()]).map_err(|_| NotSoap)?
        }
        Err(_) => return Err(NotSoap),
    };
    // Up to the last tag that is whole: the reader takes half a tag for a fault.
    let whole = text.rfind('>').map_or(0, |at| at + 1);
    Walk::new(&text[..whole]).head()
}

/// A walk through the beginning of an envelope.
struct Walk<'t> {
    reader: Reader<&'t [u8]>,
    depth: usize,
    start: Option<usize>,
    theirs: Vec<Range<usize>>,
    /// Where an element of theirs began, and at which depth.
    open: Option<(usize, usize)>,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = true;
        Self { reader, depth: 0, start: None, theirs: Vec::new(), open: None }
    }

    fn head(mut self) -> Result<Option<Head>, NotSoap> {
        loop {
            let from = self.position();
            let event = match self.reader.read_event() {
                Ok(event) => event,
                // What has come ends within something: more may end it.
                Err(_) => return Ok(None),
            };
            let to = self.position();
            match event {
                Event::Decl(declared) => {
                    let other = declared.encoding().is_some_and(|named| {
                        !named.is_ok_and(|named| named.eq_ignore_ascii_case("utf-8"))
                    });
                    if other {
                        return Err(NotSoap);
                    }
                }
                Event::DocType(_) => return Err(NotSoap),
                Event::Start(tag) => {
                    self.depth += 1;
                    if let Some(head) = self.started(&tag, from..to)? {
                        return Ok(Some(head));
                    }
                }
                Event::Empty(tag) => {
                    if let Some(head) = self.passed(&tag, from..to)? {
                        return Ok(Some(head));
                    }
                }
                Event::End(_) => {
                    if let Some(head) = self.ended(to)? {
                        return Ok(Some(head));
                    }
                }
                Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    fn started(&mut self, tag: &BytesStart, at: Range<usize>) -> Result<Option<Head>, NotSoap> {
        match (self.depth, &*local(tag)) {
            (1, "Envelope") => Ok(None),
            (1, _) => Err(NotSoap),
            (2, "Header") if self.start.is_none() => {
                self.start = Some(at.end);
                Ok(None)
            }
            (2, "Body") => Ok(Some(self.before(tag, at))),
            (2, _) => Err(NotSoap),
            (3, name) if OURS.contains(&name) => {
                self.open = Some((at.start, self.depth));
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn passed(&mut self, tag: &BytesStart, at: Range<usize>) -> Result<Option<Head>, NotSoap> {
        match (self.depth, &*local(tag)) {
            (1, "Header") => {
                let inside = Inside::Instead(at, qualified(tag));
                Ok(Some(Head { inside, theirs: Vec::new() }))
            }
            (1, "Body") => Ok(Some(self.before(tag, at))),
            (0 | 1, _) => Err(NotSoap),
            (2, name) if OURS.contains(&name) => {
                self.theirs.push(at);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn ended(&mut self, to: usize) -> Result<Option<Head>, NotSoap> {
        if let Some((from, depth)) = self.open
            && depth == self.depth
        {
            self.theirs.push(from..to);
            self.open = None;
        }
        self.depth = self.depth.checked_sub(1).ok_or(NotSoap)?;
        match (self.depth, self.start) {
            (1, Some(start)) => {
                let theirs = std::mem::take(&mut self.theirs);
                Ok(Some(Head { inside: Inside::At(start), theirs }))
            }
            (0, _) => Err(NotSoap),
            _ => Ok(None),
        }
    }

    fn before(&self, tag: &BytesStart, at: Range<usize>) -> Head {
        let name = qualified(tag);
        let prefix = name.rsplit_once(':').map(|(prefix, _)| format!("{prefix}:"));
        Head { inside: Inside::Before(at.start, prefix.unwrap_or_default()), theirs: Vec::new() }
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }
}

fn local(tag: &BytesStart) -> String {
    let name = qualified(tag);
    name.rsplit(':').next().unwrap_or_default().to_owned()
}

fn qualified(tag: &BytesStart) -> String {
    tag.name().as_ref().to_owned()
}

/// The elements that carry credentials.
const OURS: [&str; 2] = ["ApplicationToken", "Credentials"];
/// Where services' elements live, up to their version.
const NAMESPACE: &str = "http://www.superoffice.net/ws/crm/NetServer/";
const LONGEST: usize = 64 << 10;
const MOST_LOOKS: u32 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: SoapHeader<'static> =
        SoapHeader { version: "Services88", application_token: "s<ecret", ticket: "7T:t" };
    const ADDED: &str = "<ApplicationToken xmlns=\"http://www.superoffice.net/ws/crm/NetServer/Services88\">\
        s&lt;ecret</ApplicationToken><Credentials xmlns=\"http://www.superoffice.net/ws/crm/NetServer/Services88\">\
        <Ticket>7T:t</Ticket></Credentials>";

    /// The body as it leaves, fed in pieces of a size.
    fn left(body: &str, size: usize) -> Result<String, NotSoap> {
        let (mut call, mut out) = (SoapCall::default(), Vec::new());
        for piece in body.as_bytes().chunks(size) {
            out.extend(call.take(piece, GIVEN)?);
        }
        if call.has_passed() { Ok(String::from_utf8(out).unwrap()) } else { Err(NotSoap) }
    }

    #[test]
    fn a_header_gets_the_credentials_however_the_body_is_cut() {
        for (body, expected) in [
            (
                "<s:Envelope xmlns:s=\"x\"><s:Header><a/></s:Header><s:Body>æ</s:Body></s:Envelope>",
                "<s:Envelope xmlns:s=\"x\"><s:Header>+<a/></s:Header><s:Body>æ</s:Body></s:Envelope>",
            ),
            (
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Envelope><Header/><Body/></Envelope>",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Envelope><Header>+</Header><Body/></Envelope>",
            ),
            (
                "<s:Envelope><!-- > --><s:Body><x/></s:Body></s:Envelope>",
                "<s:Envelope><!-- > --><s:Header>+</s:Header><s:Body><x/></s:Body></s:Envelope>",
            ),
            (
                "<E:Envelope><E:Header><ApplicationToken>t</ApplicationToken><T/>\
                 <o:Credentials><o:Ticket>7T:x</o:Ticket></o:Credentials></E:Header><E:Body/></E:Envelope>",
                "<E:Envelope><E:Header>+<T/></E:Header><E:Body/></E:Envelope>",
            ),
        ] {
            for size in 1..body.len() + 1 {
                assert_eq!(
                    left(body, size).as_deref(),
                    Ok(&*expected.replace('+', ADDED)),
                    "{size}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_envelope_does_not_go_on() {
        for body in [
            "",
            "{}",
            "<a/>",
            "<Envelope/>",
            "<Envelope></Envelope>",
            "<Envelope><Other/></Envelope>",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><Envelope><Body/></Envelope>",
            "<?xml version=\"1.0\" encoding=\"utf-16\"?><Envelope><Body/></Envelope>",
            "<Envelope><Header>",
        ] {
            assert_eq!(left(body, 7), Err(NotSoap), "{body}");
        }
        let endless = format!("<Envelope><Header>{}", "<a/>".repeat(20_000));
        assert_eq!(left(&endless, 1_000), Err(NotSoap));
    }
}
