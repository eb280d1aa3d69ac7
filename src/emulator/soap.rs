//! The frame of SOAP 1.1: envelopes in, envelopes and faults out.

use http::StatusCode;

use super::answer::Answer;
use super::xml::{self, Element, escaped};

pub(super) const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(super) const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// A request's header and body; a header that is left out is empty.
pub(super) struct Message {
    pub(super) header: Element,
    pub(super) body: Element,
}

impl Message {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8")?;
        let mut envelope = xml::parse(text)?;
        if (envelope.namespace.as_str(), envelope.name.as_str()) != (ENVELOPE, "Envelope") {
            return Err("not an envelope of SOAP 1.1");
        }
        let header = envelope.take_in(ENVELOPE, "Header").unwrap_or_default();
        let body = envelope.take_in(ENVELOPE, "Body").ok_or("no body")?;
        Ok(Self { header, body })
    }
}

/// 500 with a fault, for what is not a request of this service at all.
pub(super) fn fault(code: &str, why: &str) -> Answer {
    let body = format!(
        "<s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Body><s:Fault><faultcode \
         xmlns:a=\"http://schemas.microsoft.com/net/2005/12/windowscommunicationfoundation/dispatcher\">\
         {code}</faultcode><faultstring xml:lang=\"en-US\">{}</faultstring>\
         </s:Fault></s:Body></s:Envelope>",
        escaped(why)
    );
    let answer = Answer::new(StatusCode::INTERNAL_SERVER_ERROR, CONTENT_TYPE, body);
    answer.refused(why)
}
