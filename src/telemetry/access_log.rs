//! One JSON line for each request, collected in memory and written beside the request's way.

use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::web::Peer;

/// Takes lines from all workers. A line waits at most a tenth of a second; when the output cannot keep up
/// and 4 MiB wait, further lines are dropped and counted, and the log says so.
#[derive(Clone)]
pub struct AccessLog(Arc<Shared>);

/// What a line says. No query: codes, states and secrets ride there.
pub struct AccessLine<'a> {
    pub request_id: &'a str,
    pub client: Option<&'a str>,
    pub method: &'a str,
    pub host: Option<&'a str>,
    pub path: &'a str,
    /// 0 when the client left before an answer.
    pub status: u16,
    pub bytes: usize,
    pub micros: u64,
    pub route: Option<&'a str>,
    pub tenant: Option<&'a str>,
    /// The background job that calls, by its name in the configuration.
    pub caller: Option<&'a str>,
    pub detail: Option<&'a str>,
}

/// What is said of an HTTP/1 message that was refused by its bytes, before it was a request.
pub struct RefusedLine<'a> {
    pub client: Peer,
    pub status: u16,
    pub detail: &'a str,
}

/// Ends the writer; every line taken before is written then.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    waiting: Mutex<Vec<u8>>,
    dropped: AtomicU64,
    stopping: AtomicBool,
    /// Who writes.
    writer: OnceLock<Thread>,
}

impl AccessLog {
    /// Writes to `output` until the writer is dropped.
    pub fn to(output: impl Write + Send + 'static) -> (Self, Writer) {
        let shared = Arc::new(Shared {
            waiting: Mutex::new(Vec::new()),
            dropped: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            writer: OnceLock::new(),
        });
        let writing = shared.clone();
        let thread = std::thread::spawn(move || writing.run(output));
        let _set_once = shared.writer.set(thread.thread().clone());
        (Self(shared.clone()), Writer { shared, thread: Some(thread) })
    }

    /// Takes a line.
    pub fn write(&self, line: &AccessLine<'_>) {
        let mut text = Vec::with_capacity(320);
        line.json(&mut text);
        self.take(text);
    }

    /// Takes a line about what was refused.
    pub fn write_refused(&self, line: &RefusedLine<'_>) {
        let mut text = Vec::with_capacity(200);
        line.json(&mut text);
        self.take(text);
    }

    fn take(&self, text: Vec<u8>) {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() + text.len() > MOST_WAITING {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let before = waiting.len();
        waiting.extend_from_slice(&text);
        drop(waiting);
        // Written early, what waits stays in memory that is in use already.
        if (before..before + text.len()).contains(&MANY)
            && let Some(writer) = self.0.writer.get()
        {
            writer.unpark();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _panicked = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, mut output: impl Write) {
        let mut batch = Vec::new();
        loop {
            let stopping = self.stopping.load(Ordering::Acquire);
            std::mem::swap(
                &mut batch,
                &mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner),
            );
            let dropped = self.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                let note =
                    format!("{{\"message\":\"access lines dropped\",\"count\":{dropped}}}\n");
                batch.extend_from_slice(note.as_bytes());
            }
            if !batch.is_empty() {
                let _nowhere_left_to_say_so =
                    output.write_all(&batch).and_then(|()| output.flush());
                batch.clear();
                batch.shrink_to(KEPT);
            }
            if stopping {
                return;
            }
            std::thread::park_timeout(PAUSE);
        }
    }
}

impl AccessLine<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        opening(out, "request");
        text(out, ",\"request_id\":\"", Some(self.request_id));
        text(out, ",\"client\":\"", self.client);
        text(out, ",\"method\":\"", Some(self.method));
        text(out, ",\"host\":\"", self.host);
        text(out, ",\"path\":\"", Some(self.path));
        number(out, ",\"status\":", u64::from(self.status));
        number(out, ",\"bytes\":", self.bytes as u64);
        number(out, ",\"duration_us\":", self.micros);
        text(out, ",\"route\":\"", self.route);
        text(out, ",\"tenant\":\"", self.tenant);
        text(out, ",\"caller\":\"", self.caller);
        text(out, ",\"detail\":\"", self.detail);
        out.extend_from_slice(b"}\n");
    }
}

impl RefusedLine<'_> {
    fn json(&self, out: &mut Vec<u8>) {
        opening(out, "refused");
        text(out, ",\"client\":\"", Some(&self.client.to_string()));
        number(out, ",\"status\":", u64::from(self.status));
        text(out, ",\"detail\":\"", Some(self.detail));
        out.extend_from_slice(b"}\n");
    }
}

fn opening(out: &mut Vec<u8>, message: &str) {
    out.extend_from_slice(b"{\"timestamp\":\"");
    stamp(out);
    text(out, "\",\"message\":\"", Some(message));
}

/// Adds a member, escaped and of bounded length; absent where there is no value. `before` is what
/// stands before the value: the comma, the name and the opening quote.
fn text(out: &mut Vec<u8>, before: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    let end = match value.len() {
        short @ ..=MOST_LETTERS => short,
        long => value.char_indices().map(|(at, _)| at).nth(MOST_LETTERS).unwrap_or(long),
    };
    let value = &value[..end];
    if value.bytes().fold(false, |met, byte| met | is_escaped(byte)) {
        out.extend_from_slice(&before.as_bytes()[..before.len() - 1]);
        let _infallible = serde_json::to_writer(&mut *out, value);
        return;
    }
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

/// What a JSON string may not hold as it is (RFC 8259 §7).
fn is_escaped(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\')
}

fn number(out: &mut Vec<u8>, before: &str, value: u64) {
    out.extend_from_slice(before.as_bytes());
    let (mut digits, mut at, mut rest) = ([0; 20], 20, value);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The time of day in RFC 3339, in UTC and to the microsecond. What does not change within a
/// second is spelled once for each second and thread.
fn stamp(out: &mut Vec<u8>) {
    thread_local! {
        static SECOND: Cell<(u64, [u8; WHOLE])> = const { Cell::new((u64::MAX, [0; WHOLE])) };
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (mut known, mut whole) = SECOND.get();
    if known != since.as_secs() {
        known = since.as_secs();
        let spelled =
            OffsetDateTime::from(UNIX_EPOCH + Duration::from_secs(known)).format(&Rfc3339);
        if let Some(start) = spelled.unwrap_or_default().as_bytes().first_chunk() {
            whole = *start;
        }
        SECOND.set((known, whole));
    }
    out.extend_from_slice(&whole);
    let mut fraction = *b".000000Z";
    let mut rest = since.subsec_micros();
    for digit in fraction[1..7].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&fraction);
}

/// Bytes of a time without its fraction and zone.
const WHOLE: usize = "2026-11-21T12:34:56".len();

const PAUSE: Duration = Duration::from_millis(100);
const MOST_WAITING: usize = 4 << 20;
/// Bytes that are written at once, without waiting for more.
const MANY: usize = 64 << 10;
const KEPT: usize = 4 * MANY;
const MOST_LETTERS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl Write for Output {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_one_json_object_whatever_the_path_holds() {
        let output = Output::default();
        let (log, writer) = AccessLog::to(output.clone());
        log.write(&AccessLine {
            request_id: "1",
            client: None,
            method: "GET",
            host: Some("a\"b"),
            path: "/\u{1b}[31m\r\n\"}{",
            status: 200,
            bytes: 1,
            micros: 2,
            route: None,
            tenant: Some("Cust1"),
            caller: None,
            detail: Some(&"x".repeat(5000)),
        });
        drop(writer);
        let text = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["path"], "/\u{1b}[31m\r\n\"}{");
        assert_eq!(line["detail"].as_str().unwrap().len(), MOST_LETTERS);
        assert!(!text.contains('\u{1b}'));
    }
}
