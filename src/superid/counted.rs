//! Calls to SuperID, counted by endpoint.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use url::Url;

use crate::back_channel::{Answer, BackChannel, CallFailed, Transport};
use crate::telemetry::{Called, Endpoint, SuperIdCalls};

/// The HTTP client, and what is counted of it.
pub(crate) struct Counted {
    channel: BackChannel,
    counters: SuperIdCalls,
}

impl Counted {
    /// Over a client that is there.
    pub(crate) fn over(channel: BackChannel, counters: &SuperIdCalls) -> Self {
        Self { channel, counters: counters.clone() }
    }

    /// As [`BackChannel::new`].
    pub(crate) fn new(timeout: Duration, transport: Transport, counters: &SuperIdCalls) -> Self {
        Self { channel: BackChannel::new(timeout, transport), counters: counters.clone() }
    }

    /// As [`BackChannel::beside`]; both count together.
    pub(crate) fn beside(&self) -> Self {
        Self { channel: self.channel.beside(), counters: self.counters.clone() }
    }

    /// Fetches a document.
    pub(crate) async fn get(&self, endpoint: Endpoint, url: &Url) -> Result<Answer, CallFailed> {
        self.count(endpoint, self.channel.get(url)).await
    }

    /// Posts a form.
    pub(crate) async fn post(
        &self,
        endpoint: Endpoint,
        url: &Url,
        form: String,
    ) -> Result<Answer, CallFailed> {
        self.count(endpoint, self.channel.post(url, form)).await
    }

    /// Posts a JSON document to where tickets are had.
    pub(crate) async fn post_json(&self, url: &Url, json: String) -> Result<Answer, CallFailed> {
        self.count(Endpoint::SystemUser, self.channel.post_json(url, json)).await
    }

    /// The same by a SOAP 1.1 envelope for an action, which is written without its quotes here.
    pub(crate) async fn post_soap(
        &self,
        url: &Url,
        envelope: String,
        action: &'static str,
    ) -> Result<Answer, CallFailed> {
        let call = self.channel.post_soap(url, envelope, action);
        self.count(Endpoint::SystemUserSoap, call).await
    }

    /// Sends what somebody else has put together.
    pub(crate) async fn send(
        &self,
        endpoint: Endpoint,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, CallFailed> {
        let begun = Instant::now();
        let called = self.channel.send(request).await;
        let how = match &called {
            Ok(response) => Called::Answered(response.status().as_u16()),
            Err(failed) => unanswered(failed),
        };
        self.counters.called(endpoint, how, begun.elapsed());
        called
    }

    async fn count(
        &self,
        endpoint: Endpoint,
        call: impl Future<Output = Result<Answer, CallFailed>>,
    ) -> Result<Answer, CallFailed> {
        let begun = Instant::now();
        let called = call.await;
        self.counters.called(endpoint, how(&called), begun.elapsed());
        called
    }
}

fn how(called: &Result<Answer, CallFailed>) -> Called {
    match called {
        Ok(answer) => Called::Answered(answer.status.as_u16()),
        Err(failed) => unanswered(failed),
    }
}

fn unanswered(failed: &CallFailed) -> Called {
    match failed {
        CallFailed::Interrupted(_) => Called::Interrupted,
        CallFailed::TimedOut(_) => Called::TimedOut,
        CallFailed::Unreachable(_) => Called::Unreachable,
        CallFailed::Encoded
        | CallFailed::NoRoots(_)
        | CallFailed::TooLarge
        | CallFailed::Unaddressable(_) => Called::Unusable,
    }
}
