//! pingora's messages seen through our own interfaces.

use http::{HeaderMap, HeaderName};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session as Downstream;

use crate::web::{HeaderBag, Reply};

/// A request header that names can be removed from.
pub struct Wire<'a>(pub &'a mut RequestHeader);

impl HeaderBag for Wire<'_> {
    fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    fn remove(&mut self, name: &HeaderName) {
        self.0.remove_header(name);
    }
}

/// Writes a whole answer.
///
/// # Errors
/// pingora's, when the client is gone or the answer cannot be put into a message.
pub(super) async fn write(downstream: &mut Downstream, reply: Reply) -> pingora::Result<()> {
    let mut head = ResponseHeader::build(reply.status, Some(reply.headers.len()))?;
    for (name, value) in reply.headers {
        head.append_header(name, value)?;
    }
    let has_body = !reply.body.is_empty();
    downstream.write_response_header(Box::new(head), !has_body).await?;
    if has_body {
        downstream.write_response_body(Some(reply.body), true).await?;
    }
    Ok(())
}

/// Reads a request's body of at most `most` bytes; `None` when it is longer.
///
/// # Errors
/// pingora's, when the client stops sending.
pub(super) async fn read_form(
    downstream: &mut Downstream,
    most: usize,
) -> pingora::Result<Option<Vec<u8>>> {
    let mut form = Vec::new();
    while let Some(part) = downstream.read_request_body().await? {
        if form.len() + part.len() > most {
            return Ok(None);
        }
        form.extend_from_slice(&part);
    }
    Ok(Some(form))
}
