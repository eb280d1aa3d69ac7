//! A post that was kept, on its way to the app in the place of what the browser sends for it.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{HeaderValue, header};

use crate::signin::Post;
use crate::web::PublicOrigin;

use super::outbound::Outbound;

/// One that is sent now. The browser sends some bytes in its place, which nobody reads.
#[derive(Debug)]
pub(super) struct Resumed {
    body: Bytes,
    content_type: Option<HeaderValue>,
    origin: HeaderValue,
    /// The cookie that says it was sent.
    pub(super) cookie: Option<HeaderValue>,
    has_passed: AtomicBool,
}

impl Resumed {
    /// For one that came from a page of this origin.
    pub(super) fn new(post: Post, origin: &PublicOrigin, cookie: Option<HeaderValue>) -> Self {
        let origin = HeaderValue::from_str(origin.as_str());
        Self {
            content_type: post.content_type.and_then(|kind| HeaderValue::try_from(kind).ok()),
            body: Bytes::from(post.body),
            origin: origin.expect("an origin is visible ASCII"),
            cookie,
            has_passed: AtomicBool::new(false),
        }
    }

    /// Makes the head of the browser's request what it was. This runs again for a retry.
    pub(super) fn edit(&self, request: &mut Outbound<'_>) {
        self.has_passed.store(false, Ordering::Relaxed);
        request.leave_out(header::TRANSFER_ENCODING);
        request.leave_out(header::REFERER);
        request.set(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        request.set(header::ORIGIN, self.origin.clone());
        match &self.content_type {
            Some(kind) => request.set(header::CONTENT_TYPE, kind.clone()),
            None => request.leave_out(header::CONTENT_TYPE),
        }
    }

    /// The first piece becomes all of what was kept, and every other one empty.
    pub(super) fn fill(&self, body: &mut Option<Bytes>) {
        match self.has_passed.swap(true, Ordering::Relaxed) {
            false => *body = Some(self.body.clone()),
            true => body.iter_mut().for_each(Bytes::clear),
        }
    }
}
