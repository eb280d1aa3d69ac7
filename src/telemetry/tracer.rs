//! Spans of requests: begun, ended, and left for whoever sends them, so that nobody waits for that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::crypto::Random;

use super::catalogue::TRACE_SPANS;
use super::metrics::Counts;
use super::otlp::{Attribute, Kind, Span};
use super::series::Counter;
use super::trace_context::TraceContext;

/// Begins traces; cheap to clone. Spans that are over wait in a bounded queue.
#[derive(Clone)]
pub struct Tracer(Arc<Shared>);

/// The trace of one request, or the part of it that is ours.
pub struct Trace {
    tracer: Tracer,
    context: TraceContext,
    /// Whose child the request is, where a trusted proxy said so.
    parent: Option<[u8; 8]>,
    /// The request's own span.
    id: [u8; 8],
    began: Began,
    over: Mutex<Vec<Span>>,
}

/// What is a span of its own within a request's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// Its bytes are looked at.
    Admission,
    /// Who it is, and what becomes of it.
    Authentication,
    /// The vault or a shared store is asked.
    Store,
    /// SuperID is asked.
    SuperId,
    /// The app or the tenant has it.
    Upstream,
}

/// A child that is not over; dropping it ends it.
pub struct Open {
    trace: Arc<Trace>,
    child: Child,
    id: [u8; 8],
    began: u64,
    status: Option<u16>,
    failed: bool,
}

/// What is known of a request when it is over.
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub status: u16,
    pub host: Option<&'a str>,
    pub route: Option<&'a str>,
    pub tenant: Option<&'a str>,
    pub request_id: &'a str,
}

/// A moment on both clocks, so that a span never ends before it began.
struct Began {
    nanos: u64,
    instant: Instant,
}

struct Shared {
    random: Random,
    /// Traces whose number is below it are sent.
    below: u64,
    waiting: Mutex<Vec<Span>>,
    stopping: AtomicBool,
    sender: OnceLock<Thread>,
    exported: Counter,
    failed: Counter,
    dropped: Counter,
}

tokio::task_local! {
    /// The trace of the request that the task is busy with.
    static CURRENT: Arc<Trace>;
}

/// Runs a step of a request, so that what it asks for is told as part of its trace.
pub async fn traced<F: Future>(trace: Option<Arc<Trace>>, step: F) -> F::Output {
    match trace {
        // A box: without traces, futures have no room for it.
        Some(trace) => Box::pin(CURRENT.scope(trace, step)).await,
        None => step.await,
    }
}

/// The trace of the request that the task is busy with.
pub fn current() -> Option<Arc<Trace>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Opens a child of the request that the task is busy with, if that is traced.
pub fn child(child: Child) -> Option<Open> {
    CURRENT.try_with(|trace| trace.open(child)).ok().flatten()
}

impl Tracer {
    /// Sends so many of the traces that begin here, from 0.0 to 1.0.
    pub(super) fn new(random: Random, sample_rate: f64) -> Self {
        Self(Arc::new(Shared {
            random,
            below: (sample_rate * u64::MAX as f64) as u64,
            waiting: Mutex::default(),
            stopping: AtomicBool::new(false),
            sender: OnceLock::new(),
            exported: Counter::default(),
            failed: Counter::default(),
            dropped: Counter::default(),
        }))
    }

    /// A request begins, within the trace a trusted proxy named, or a new one.
    pub fn begin(&self, given: Option<TraceContext>) -> Arc<Trace> {
        let parent = given.as_ref().map(|given| given.parent);
        let context = given.unwrap_or_else(|| self.fresh());
        Arc::new(Trace {
            tracer: self.clone(),
            context,
            parent,
            id: self.0.random.bytes(),
            began: Began::now(),
            over: Mutex::default(),
        })
    }

    /// What became of spans.
    pub fn counted(&self) -> Counts {
        let Shared { exported, failed, dropped, .. } = &*self.0;
        let each = [("exported", exported), ("failed", failed), ("dropped", dropped)];
        let each = each.map(|(outcome, counter)| (outcome, counter.clone()));
        Counts::new(move |levels| {
            for (outcome, counter) in &each {
                levels.add(&TRACE_SPANS, &[outcome], counter.get() as f64);
            }
        })
    }

    /// So many were taken by whoever collects them.
    pub(super) fn exported(&self, spans: usize) {
        self.0.exported.inc_by(spans as u64);
    }

    /// So many were not.
    pub(super) fn not_exported(&self, spans: usize) {
        self.0.failed.inc_by(spans as u64);
    }

    /// Takes what waits, `most` at most.
    pub(super) fn take(&self, most: usize) -> Vec<Span> {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let end = waiting.len().min(most);
        waiting.drain(..end).collect()
    }

    pub(super) fn sent_by(&self, thread: Thread) {
        let _once = self.0.sender.set(thread);
    }

    pub(super) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
        self.wake();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Acquire)
    }

    fn wake(&self) {
        if let Some(sender) = self.0.sender.get() {
            sender.unpark();
        }
    }

    fn fresh(&self) -> TraceContext {
        let trace: [u8; 16] = self.0.random.bytes();
        let number = trace.last_chunk().map_or(0, |last| u64::from_be_bytes(*last));
        let sampled = number < self.0.below || self.0.below == u64::MAX;
        TraceContext { trace, parent: [0; 8], sampled, state: None }
    }

    fn queue(&self, spans: &mut Vec<Span>) {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() + spans.len() > MOST_WAITING {
            drop(waiting);
            self.0.dropped.inc_by(spans.len() as u64);
            return;
        }
        let before = waiting.len();
        waiting.append(spans);
        let many = before < MANY && waiting.len() >= MANY;
        drop(waiting);
        if many {
            self.wake();
        }
    }
}

impl Trace {
    /// Opens a child; nothing where the trace is not sent.
    pub fn open(self: &Arc<Self>, child: Child) -> Option<Open> {
        self.context.sampled.then(|| Open {
            trace: self.clone(),
            child,
            id: self.tracer.0.random.bytes(),
            began: self.now(),
            status: None,
            failed: false,
        })
    }

    /// `traceparent` and `tracestate` for the app, as a child of ours.
    pub fn headers(&self, under: Option<&Open>) -> (String, Option<&str>) {
        let span = under.map_or(self.id, |open| open.id);
        (self.context.header(span), self.context.state.as_deref())
    }

    /// The trace's id, as headers spell it.
    pub fn trace_id(&self) -> String {
        self.context.trace_id()
    }

    /// The request is over.
    pub fn finish(&self, request: &Request<'_>) {
        if !self.context.sampled {
            return;
        }
        let text = |text: &str| Attribute::Text(text.chars().take(MOST_LETTERS).collect());
        let mut attributes = vec![
            ("http.request.method", text(request.method)),
            ("url.path", text(request.path)),
            ("superid_gateway.request_id", text(request.request_id)),
        ];
        if request.status > 0 {
            attributes
                .push(("http.response.status_code", Attribute::Number(request.status.into())));
        }
        for (name, value) in [
            ("server.address", request.host),
            ("http.route", request.route),
            ("superid_gateway.tenant", request.tenant),
        ] {
            attributes.extend(value.map(|value| (name, text(value))));
        }
        let name = match request.route {
            Some(route) => format!("{} {route}", request.method),
            None => request.method.to_owned(),
        };
        let mut spans = {
            let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *over)
        };
        spans.push(Span {
            kind: Kind::Server,
            parent: self.parent,
            began: self.began.nanos,
            attributes,
            failed: request.status >= 500,
            ..self.span(self.id, name)
        });
        self.tracer.queue(&mut spans);
    }

    fn span(&self, id: [u8; 8], name: String) -> Span {
        Span {
            trace: self.context.trace,
            id,
            parent: None,
            state: self.context.state.clone(),
            name,
            kind: Kind::Internal,
            began: 0,
            ended: self.now(),
            attributes: Vec::new(),
            failed: false,
        }
    }

    fn now(&self) -> u64 {
        self.began.nanos + self.began.instant.elapsed().as_nanos() as u64
    }
}

impl Open {
    /// Tells how it was answered.
    pub fn answered(&mut self, status: u16) {
        self.status = Some(status).filter(|status| *status > 0);
        self.failed = status >= 500;
    }

    /// Tells that it brought nothing.
    pub fn failed(&mut self) {
        self.failed = true;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let status = self.status.map(|status| Attribute::Number(status.into()));
        let span = Span {
            kind: self.child.kind(),
            parent: Some(self.trace.id),
            began: self.began,
            attributes: status
                .map(|status| ("http.response.status_code", status))
                .into_iter()
                .collect(),
            failed: self.failed,
            ..self.trace.span(self.id, self.child.name().to_owned())
        };
        let mut over = self.trace.over.lock().unwrap_or_else(PoisonError::into_inner);
        if over.len() < MOST_CHILDREN {
            over.push(span);
        }
    }
}

impl Child {
    fn name(self) -> &'static str {
        match self {
            Self::Admission => "admission",
            Self::Authentication => "authentication",
            Self::Store => "store",
            Self::SuperId => "superid",
            Self::Upstream => "upstream",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Admission | Self::Authentication => Kind::Internal,
            Self::Store | Self::SuperId | Self::Upstream => Kind::Client,
        }
    }
}

impl Began {
    fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { nanos: since.as_nanos() as u64, instant: Instant::now() }
    }
}

/// Spans that wait at once; a few megabytes.
const MOST_WAITING: usize = 8192;
/// Spans that are sent without waiting for more.
pub(super) const MANY: usize = 512;
/// Children of one request.
const MOST_CHILDREN: usize = 64;
/// Letters of one attribute.
const MOST_LETTERS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Request<'_> = Request {
        method: "GET",
        path: "/orders",
        status: 502,
        host: Some("app.example"),
        route: Some("app"),
        tenant: None,
        request_id: "1-2",
    };

    #[tokio::test]
    async fn children_belong_to_the_request_of_their_task() {
        let tracer = Tracer::new(Random::counting(), 1.0);
        let trace = tracer.begin(None);
        assert!(child(Child::Store).is_none(), "no request");
        traced(Some(trace.clone()), async {
            child(Child::SuperId).unwrap().failed();
        })
        .await;
        let (header, state) = trace.headers(None);
        trace.finish(&REQUEST);
        let spans = tracer.take(10);
        assert_eq!(spans.len(), 2);
        assert_eq!((spans[0].name.as_str(), spans[1].name.as_str()), ("superid", "GET app"));
        assert_eq!((spans[0].parent, spans[1].parent), (Some(spans[1].id), None));
        assert!(spans.iter().all(|span| span.failed && span.began <= span.ended));
        assert_eq!(TraceContext::parse(&header, None).unwrap().parent, spans[1].id);
        assert_eq!(state, None);
    }

    #[test]
    fn a_proxy_decides_for_its_traces_and_the_rate_for_ours() {
        let none = Tracer::new(Random::counting(), 0.0);
        assert!(!none.begin(None).context.sampled);
        let given = TraceContext { trace: [1; 16], parent: [2; 8], sampled: true, state: None };
        let trace = none.begin(Some(given.clone()));
        trace.finish(&REQUEST);
        assert_eq!(none.take(10)[0].parent, Some([2; 8]));
        let all = Tracer::new(Random::system(), 1.0);
        assert!((0..100).all(|_| all.begin(None).context.sampled));
        let unsampled = all.begin(Some(TraceContext { sampled: false, ..given }));
        assert!(unsampled.open(Child::Store).is_none());
        unsampled.finish(&REQUEST);
        assert!(all.take(10).is_empty());
        assert!(unsampled.headers(None).0.ends_with("-00"));
    }

    #[test]
    fn what_nobody_sends_is_bounded_and_counted() {
        let tracer = Tracer::new(Random::counting(), 1.0);
        for _ in 0..MOST_WAITING + 3 {
            tracer.begin(None).finish(&REQUEST);
        }
        assert_eq!(tracer.0.dropped.get(), 3);
        assert_eq!(tracer.take(usize::MAX).len(), MOST_WAITING);
    }
}
