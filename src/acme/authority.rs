//! The way to an authority: our own client, with its roots and bounds, under the library's protocol.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt as _;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

use crate::back_channel::BackChannel;
use crate::clock::Clock;

/// Calls one authority.
#[derive(Clone)]
pub(super) struct Authority {
    channel: Arc<BackChannel>,
    clock: Clock,
    /// `https`, unless the directory is on this machine.
    scheme: String,
    told: Arc<Mutex<Option<u64>>>,
}

impl Authority {
    pub(super) fn new(directory: &Url, channel: Arc<BackChannel>, clock: Clock) -> Self {
        Self { channel, clock, scheme: directory.scheme().to_owned(), told: Arc::default() }
    }

    /// In how many seconds the latest answer said to come again (RFC 9110 §10.2.3).
    pub(super) fn told(&self) -> Option<u64> {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        // Addresses come from the authority: none of them leads out of TLS.
        if request.uri().scheme_str() != Some(&self.scheme) {
            return Err(Error::Other("the authority names an address that is not https".into()));
        }
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_or_else(|never| match never {}, |body| body.to_bytes());
        let answer = self.channel.send(Request::from_parts(head, body)).await;
        let (head, body) = answer.map_err(|failed| Error::Other(Box::new(failed)))?.into_parts();
        let told = retry_after(&head.headers, &self.clock);
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
        Ok(BytesResponse { parts: head, body: Box::new(body) })
    }
}

impl HttpClient for Authority {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        Box::pin(self.clone().call(request))
    }
}

/// In seconds from now, whichever way it is written.
fn retry_after(headers: &HeaderMap, clock: &Clock) -> Option<u64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    text.parse().ok().or_else(|| {
        let moment = OffsetDateTime::parse(text, &Rfc2822).ok()?.unix_timestamp();
        Some(u64::try_from(moment).ok()?.saturating_sub(clock.now().0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn when_to_come_again_is_read_in_both_spellings() {
        let clock = Clock::manual(Timestamp(784_111_777));
        for (text, seconds) in [
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, &clock), seconds, "{text}");
        }
    }
}
