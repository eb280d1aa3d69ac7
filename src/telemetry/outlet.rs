//! Lines from all threads, collected in memory and written by a thread of their own: whoever has
//! something to say never waits for a disk, a pipe or a socket.

use std::cell::Cell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::config::{LineDestination, LineForm};

use super::catalogue::LOG_LINES_LOST;
use super::metrics::Counts;
use super::series::Counter;
use super::sink::{AUDIT, Sink};
use super::spelling::Spelling;

/// Takes lines, and keeps nobody waiting. A request's is written within a tenth of a second, others at once; when the
/// output cannot keep up and 4 MiB wait, further lines are dropped. What is dropped, or cannot be written, is
/// counted, and said in the next line that can be. Lines of one thread stay in their order; of several, only the
/// audit log's do.
#[derive(Clone)]
pub struct Outlet(Arc<Shared>);

/// Ends the writing when dropped; what was taken before is written then, unless that takes more than
/// two seconds.
pub struct Writer {
    shared: Arc<Shared>,
    ended: mpsc::Receiver<()>,
}

/// How much a line matters, by syslog's numbers (RFC 5424 §6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
}

struct Shared {
    name: &'static str,
    form: LineForm,
    /// Whether each line has its severity's digit before it.
    marked: bool,
    /// A thread has one, so that workers do not meet at a lock.
    waiting: Box<[Mutex<Vec<u8>>]>,
    /// Of all of them.
    bytes: AtomicUsize,
    dropped: AtomicU64,
    stopping: AtomicBool,
    reopening: AtomicBool,
    /// Who writes.
    writer: OnceLock<Thread>,
    full: Counter,
    failed: Counter,
}

impl Outlet {
    /// Opens where lines go. `name` is what metrics and syslog call the log.
    ///
    /// # Errors
    /// When a file cannot be opened. A socket that nobody serves is no error: it may be served later.
    pub fn open(
        name: &'static str,
        form: LineForm,
        to: &LineDestination,
    ) -> io::Result<(Self, Writer)> {
        Ok(Self::writing(name, form, Sink::open(name, to)?))
    }

    /// Writes to `output`.
    pub fn to(
        name: &'static str,
        form: LineForm,
        output: impl Write + Send + 'static,
    ) -> (Self, Writer) {
        Self::writing(name, form, Sink::stream(output))
    }

    /// The form its lines are to have.
    pub(super) fn form(&self) -> LineForm {
        self.0.form
    }

    /// Opens its file anew, as after a rotation.
    pub fn reopen(&self) {
        self.0.reopening.store(true, Ordering::Release);
        self.0.wake();
    }

    /// What was lost of it.
    pub fn losses(&self) -> Counts {
        let (name, full, failed) = (self.0.name, self.0.full.clone(), self.0.failed.clone());
        Counts::new(move |levels| {
            levels.add(&LOG_LINES_LOST, &[name, "full"], full.get() as f64);
            levels.add(&LOG_LINES_LOST, &[name, "failed"], failed.get() as f64);
        })
    }

    /// Takes the line that `spell` writes, its end included.
    pub(super) fn take(&self, severity: Severity, spell: impl FnOnce(&mut Vec<u8>)) {
        thread_local! {
            static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
        }
        let mut line = LINE.take();
        line.clear();
        self.0.mark(severity, &mut line);
        spell(&mut line);
        self.0.collect(&line);
        LINE.set(line);
    }

    /// The same, to be written at once: for lines that come seldom.
    pub(super) fn say(&self, severity: Severity, spell: impl FnOnce(&mut Vec<u8>)) {
        self.take(severity, spell);
        self.0.wake();
    }

    fn writing(name: &'static str, form: LineForm, sink: Sink) -> (Self, Writer) {
        let shared = Arc::new(Shared {
            name,
            form,
            marked: sink.wants_marks(),
            waiting: (0..if name == AUDIT { 1 } else { SHELVES })
                .map(|_| Mutex::default())
                .collect(),
            bytes: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            reopening: AtomicBool::new(false),
            writer: OnceLock::new(),
            full: Counter::default(),
            failed: Counter::default(),
        });
        let (ending, ended) = mpsc::sync_channel(1);
        let writing = shared.clone();
        let thread = std::thread::spawn(move || {
            Round { shared: &writing, sink, unsaid: 0, trouble: Trouble::default() }.run();
            let _nobody_waits = ending.try_send(());
        });
        let _set_once = shared.writer.set(thread.thread().clone());
        (Self(shared.clone()), Writer { shared, ended })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.shared.wake();
        // An output that takes nothing any more must not hold the process up.
        let _too_late = self.ended.recv_timeout(LAST);
    }
}

impl Shared {
    fn mark(&self, severity: Severity, line: &mut Vec<u8>) {
        if self.marked {
            line.push(b'0' + severity as u8);
        }
    }

    fn collect(&self, line: &[u8]) {
        if self.bytes.fetch_add(line.len(), Ordering::Relaxed) + line.len() > MOST_WAITING {
            self.bytes.fetch_sub(line.len(), Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            self.full.inc();
            return;
        }
        let shelf = &self.waiting[number() % self.waiting.len()];
        let mut waiting = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let before = waiting.len();
        waiting.extend_from_slice(line);
        drop(waiting);
        // Written early, what waits stays in memory that is in use already.
        if (before..before + line.len()).contains(&MANY) {
            self.wake();
        }
    }

    /// Puts all that waits behind `batch`. Nobody waits for more than `spare` to take its place.
    fn collected(&self, batch: &mut Vec<u8>, spare: &mut Vec<u8>) {
        for shelf in &self.waiting {
            let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            // One that nobody uses is not given a buffer to keep.
            if shelf.is_empty() {
                continue;
            }
            std::mem::swap(spare, &mut *shelf);
            drop(shelf);
            self.bytes.fetch_sub(spare.len(), Ordering::Relaxed);
            batch.append(spare);
            spare.shrink_to(KEPT);
        }
    }

    fn wake(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }
}

/// The calling thread's.
fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

/// The thread that writes.
struct Round<'a> {
    shared: &'a Shared,
    sink: Sink,
    /// Lines that were lost, and nobody has read of it yet.
    unsaid: u64,
    trouble: Trouble,
}

impl Round<'_> {
    fn run(mut self) {
        let (mut batch, mut spare) = (Vec::new(), Vec::new());
        loop {
            let stopping = self.shared.stopping.load(Ordering::Acquire);
            if self.shared.reopening.swap(false, Ordering::AcqRel)
                && let Err(error) = self.sink.reopen()
            {
                self.trouble.is(self.shared.name, &format!("cannot be opened anew: {error}"), 0);
            }
            self.shared.collected(&mut batch, &mut spare);
            let dropped = self.shared.dropped.swap(0, Ordering::Relaxed);
            if dropped > 0 {
                self.unsaid += dropped;
                self.trouble.is(self.shared.name, "cannot keep up", dropped);
            }
            if !batch.is_empty() || self.unsaid > 0 {
                self.write(&mut batch);
                batch.clear();
                batch.shrink_to(KEPT);
            }
            if stopping {
                return;
            }
            std::thread::park_timeout(PAUSE);
        }
    }

    fn write(&mut self, batch: &mut Vec<u8>) {
        let said = u64::from(self.unsaid > 0);
        if said > 0 {
            self.shared.mark(Severity::Warning, batch);
            let mut note = Spelling::begin(batch, self.shared.form, Some("WARN"), "log lines lost");
            note.text(",\"log\":\"", Some(self.shared.name));
            note.number(",\"count\":", self.unsaid);
            note.end();
        }
        match self.sink.write(batch) {
            Ok(()) => {
                self.unsaid = 0;
                self.trouble.is_over(self.shared.name);
            }
            Err(unwritten) => {
                // The note is the last line, and the first that a failure loses.
                let lost = unwritten.lines.saturating_sub(said);
                self.unsaid += lost;
                self.shared.failed.inc_by(lost);
                let words = format!("cannot be written: {}", unwritten.error);
                self.trouble.is(self.shared.name, &words, lost);
            }
        }
    }
}

/// What is wrong with the output, said at most once a minute. The audit log's troubles are in the log;
/// the log's own can only be on standard error.
#[derive(Default)]
struct Trouble {
    said: Option<Instant>,
}

impl Trouble {
    fn is(&mut self, name: &str, what: &str, lines: u64) {
        if self.said.is_some_and(|said| said.elapsed() < AGAIN) {
            return;
        }
        self.said = Some(Instant::now());
        if name == AUDIT {
            tracing::error!(lines, "the audit log {what}");
        } else {
            let words = format!("superid-gateway: the log {what} ({lines} lines)\n");
            let _nowhere_left_to_say_so = io::stderr().write_all(words.as_bytes());
        }
    }

    fn is_over(&mut self, name: &str) {
        let Some(said) = self.said else { return };
        if said.elapsed() < AGAIN {
            return;
        }
        self.said = None;
        if name == AUDIT {
            tracing::info!("the audit log is written again");
        }
    }
}

const PAUSE: Duration = Duration::from_millis(100);
/// How long the end may take.
const LAST: Duration = Duration::from_secs(2);
/// How often the same trouble is told.
const AGAIN: Duration = Duration::from_secs(60);
/// Bytes that wait at most.
const MOST_WAITING: usize = 4 << 20;
/// More threads than these share some.
const SHELVES: usize = 16;
/// Bytes that are written at once, without waiting for more.
const MANY: usize = 64 << 10;
const KEPT: usize = 4 * MANY;

#[cfg(test)]
mod tests {
    use std::sync::Condvar;

    use super::*;

    /// An output that takes nothing until it is told to.
    #[derive(Clone, Default)]
    struct Gate(Arc<(Mutex<Held>, Condvar)>);

    #[derive(Default)]
    struct Held {
        open: bool,
        asked: bool,
        full: bool,
        written: Vec<u8>,
    }

    impl Gate {
        fn set(&self, change: impl FnOnce(&mut Held)) {
            change(&mut self.0.0.lock().unwrap());
            self.0.1.notify_all();
        }

        fn until(&self, ready: impl Fn(&Held) -> bool) {
            let held = self.0.0.lock().unwrap();
            let most = Duration::from_secs(30);
            let (_held, late) =
                self.0.1.wait_timeout_while(held, most, |held| !ready(held)).unwrap();
            assert!(!late.timed_out());
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.0.lock().unwrap().written.clone()).unwrap()
        }
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut held = self.0.0.lock().unwrap();
            held.asked = true;
            self.0.1.notify_all();
            held = self.0.1.wait_while(held, |held| !held.open).unwrap();
            if held.full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            held.written.extend_from_slice(bytes);
            self.0.1.notify_all();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn say(outlet: &Outlet, text: &str) {
        outlet.take(Severity::Info, |line| line.extend_from_slice(text.as_bytes()));
    }

    #[test]
    fn an_output_that_takes_nothing_holds_nobody_up_and_what_is_dropped_is_counted_and_said() {
        let gate = Gate::default();
        let (outlet, writer) = Outlet::to("log", LineForm::Json, gate.clone());
        say(&outlet, "first\n");
        gate.until(|held| held.asked);
        let long = format!("{}\n", "x".repeat((1 << 20) - 1));
        for _ in 0..6 {
            say(&outlet, &long);
        }
        assert_eq!(outlet.0.full.get(), 2, "four of a mebibyte wait");
        gate.set(|held| held.open = true);
        gate.until(|held| held.written.ends_with(b"\"count\":2}\n"));
        drop(writer);
        assert!(
            gate.text().contains("\"message\":\"log lines lost\",\"log\":\"log\",\"count\":2}")
        );
        assert!(gate.text().starts_with("first\nxxx"));
    }

    #[test]
    fn a_full_disk_is_survived_and_what_it_cost_is_told_when_there_is_room_again() {
        let gate = Gate::default();
        gate.set(|held| (held.open, held.full) = (true, true));
        let (outlet, writer) = Outlet::to("log", LineForm::Json, gate.clone());
        say(&outlet, "one\ntwo\n");
        gate.until(|held| held.asked);
        while outlet.0.failed.get() < 2 {
            std::thread::yield_now();
        }
        gate.set(|held| held.full = false);
        say(&outlet, "three\n");
        gate.until(|held| held.written.ends_with(b"\"count\":2}\n"));
        drop(writer);
        assert!(gate.text().contains("three\n"));
        assert_eq!(outlet.0.failed.get(), 2);
    }

    #[test]
    fn an_output_that_takes_nothing_does_not_hold_up_the_end() {
        let gate = Gate::default();
        let (outlet, writer) = Outlet::to("log", LineForm::Json, gate.clone());
        say(&outlet, "first\n");
        gate.until(|held| held.asked);
        drop(writer);
        assert_eq!(gate.text(), "");
        gate.set(|held| held.open = true);
    }
}
