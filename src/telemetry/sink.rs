//! What lines are written to: a stream, a file, syslog or systemd's journal.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::LineDestination;

use super::spelling::stamp;

/// Where a batch of whole lines goes.
pub(super) enum Sink {
    Datagrams(Datagrams),
    File { path: PathBuf, stream: Stream },
    Stream(Stream),
}

/// What could not be written.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub(super) lines: u64,
    pub(super) error: io::Error,
}

/// Bytes, one after the other.
pub(super) struct Stream {
    output: Box<dyn Write + Send>,
    /// Whether it ends in the middle of a line.
    torn: bool,
}

/// A datagram for each line, to a socket of this machine.
pub(super) struct Datagrams {
    log: &'static str,
    dialect: Dialect,
    path: PathBuf,
    socket: Option<UnixDatagram>,
    host: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Journald,
    Syslog,
}

impl Sink {
    /// Opens where the log `name` goes.
    ///
    /// # Errors
    /// When a file cannot be opened.
    pub(super) fn open(name: &'static str, to: &LineDestination) -> io::Result<Self> {
        let datagrams = |dialect, path: &Path| Datagrams {
            log: name,
            dialect,
            path: path.to_owned(),
            socket: None,
            host: host_name(),
        };
        Ok(match to {
            LineDestination::File(path) => {
                let stream = Stream::to(appended(path)?);
                Self::File { path: path.clone(), stream }
            }
            LineDestination::Journald(path) => Self::Datagrams(datagrams(Dialect::Journald, path)),
            LineDestination::Stdout => Self::stream(io::stdout()),
            LineDestination::Syslog(path) => Self::Datagrams(datagrams(Dialect::Syslog, path)),
        })
    }

    /// A stream.
    pub(super) fn stream(output: impl Write + Send + 'static) -> Self {
        Self::Stream(Stream::to(output))
    }

    /// Whether each line begins with the digit of its severity, which is not written.
    pub(super) fn wants_marks(&self) -> bool {
        matches!(self, Self::Datagrams(_))
    }

    /// Opens a file anew; of anything else nothing.
    ///
    /// # Errors
    /// When it cannot be opened: the old one stays.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        if let Self::File { path, stream } = self {
            *stream = Stream::to(appended(path)?);
        }
        Ok(())
    }

    /// Writes whole lines.
    ///
    /// # Errors
    /// How many of them were not written.
    pub(super) fn write(&mut self, lines: &[u8]) -> Result<(), Unwritten> {
        match self {
            Self::Datagrams(datagrams) => datagrams.send(lines),
            Self::File { stream, .. } | Self::Stream(stream) => stream.write(lines),
        }
    }
}

impl Stream {
    fn to(output: impl Write + Send + 'static) -> Self {
        Self { output: Box::new(output), torn: false }
    }

    fn write(&mut self, lines: &[u8]) -> Result<(), Unwritten> {
        if std::mem::take(&mut self.torn)
            && let Err(error) = self.output.write_all(b"\n")
        {
            self.torn = true;
            return Err(Unwritten { lines: count(lines), error });
        }
        let mut rest = lines;
        while !rest.is_empty() {
            let error = match self.output.write(rest) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(written) => {
                    rest = &rest[written..];
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            let written = &lines[..lines.len() - rest.len()];
            self.torn = written.last().is_some_and(|last| *last != b'\n');
            return Err(Unwritten { lines: count(rest), error });
        }
        self.output.flush().map_err(|error| Unwritten { lines: 0, error })
    }
}

impl Datagrams {
    fn send(&mut self, lines: &[u8]) -> Result<(), Unwritten> {
        let mut unwritten: Option<Unwritten> = None;
        let mut message = Vec::new();
        for line in lines.split(|byte| *byte == b'\n').filter(|line| line.len() > 1) {
            message.clear();
            self.spell(line[0], &line[1..], &mut message);
            if let Err(error) = self.one(&message) {
                let lines = unwritten.map_or(0, |before| before.lines) + 1;
                unwritten = Some(Unwritten { lines, error });
            }
        }
        unwritten.map_or(Ok(()), Err)
    }

    /// One line, over a new connection where the old one is broken.
    fn one(&mut self, message: &[u8]) -> io::Result<()> {
        if let Some(socket) = &self.socket
            && socket.send(message).is_ok()
        {
            return Ok(());
        }
        self.socket = None;
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        socket.connect(&self.path)?;
        socket.send(message)?;
        self.socket = Some(socket);
        Ok(())
    }

    fn spell(&self, severity: u8, line: &[u8], out: &mut Vec<u8>) {
        match self.dialect {
            // https://systemd.io/JOURNAL_NATIVE_PROTOCOL: a value without a line break is `NAME=value`.
            Dialect::Journald => {
                out.extend_from_slice(b"MESSAGE=");
                out.extend_from_slice(line);
                out.extend_from_slice(b"\nPRIORITY=");
                out.push(severity);
                out.extend_from_slice(b"\nSYSLOG_IDENTIFIER=superid-gateway\nSUPERID_GATEWAY_LOG=");
                out.extend_from_slice(self.log.as_bytes());
                out.push(b'\n');
            }
            // RFC 5424 §6: `<PRI>1 TIME HOST APP PROCID MSGID - MESSAGE`.
            Dialect::Syslog => {
                let facility = if self.log == AUDIT { AUTHPRIV } else { DAEMON };
                let priority = facility * 8 + u32::from(severity.saturating_sub(b'0'));
                out.extend_from_slice(format!("<{priority}>1 ").as_bytes());
                stamp(out);
                let (host, process, log) = (&self.host, std::process::id(), self.log);
                let rest = format!(" {host} superid-gateway {process} {log} - ");
                out.extend_from_slice(rest.as_bytes());
                out.extend_from_slice(line);
            }
        }
    }
}

/// A file that is appended to, readable for its group.
fn appended(path: &Path) -> io::Result<File> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o640).open(path);
    opened.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// The machine's name, as RFC 5424 §6.2.4 takes it.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

/// What the audit log is called.
pub(super) const AUDIT: &str = "audit";
/// How long a socket's other end may take for a line.
const PATIENCE: Duration = Duration::from_secs(1);
/// Facilities (RFC 5424 §6.2.1).
const AUTHPRIV: u32 = 10;
const DAEMON: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("superid-sink-{}-{name}", std::process::id()));
        let _from_before = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_file_is_appended_to_and_opened_anew_after_a_rotation() {
        let folder = scratch("file");
        let (path, moved) = (folder.join("gateway.log"), folder.join("gateway.log.1"));
        std::fs::write(&path, "before\n").unwrap();
        let mut sink = Sink::open("log", &LineDestination::File(path.clone())).unwrap();
        sink.write(b"one\n").unwrap();
        std::fs::rename(&path, &moved).unwrap();
        sink.write(b"two\n").unwrap();
        sink.reopen().unwrap();
        sink.write(b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "before\none\ntwo\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(sink.reopen().is_err(), "the folder is gone");
        sink.write(b"four\n").unwrap();
        let missing = LineDestination::File(folder.join("x.log"));
        let error = Sink::open("log", &missing).err().unwrap().to_string();
        assert!(error.contains("x.log"), "{error}");
    }

    /// Takes so many bytes, then none.
    struct Small(usize, std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = bytes.len().min(std::mem::replace(&mut self.0, usize::MAX));
            if room == 0 {
                self.0 = 100;
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.1.lock().unwrap().extend_from_slice(&bytes[..room]);
            self.0 = 0;
            Ok(room)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_was_cut_off_does_not_spoil_the_next() {
        let paper = std::sync::Arc::default();
        let mut sink = Sink::stream(Small(6, std::sync::Arc::clone(&paper)));
        let unwritten = sink.write(b"one\ntwo\nthree\n").unwrap_err();
        assert_eq!(unwritten.lines, 2);
        // The line break that ends the torn line has its room, what follows has none.
        let _once_more = sink.write(b"four\n");
        let _until_room = sink.write(b"five\n");
        let text = String::from_utf8(paper.lock().unwrap().clone()).unwrap();
        assert!(text.starts_with("one\ntw\n"), "{text:?}");
    }

    #[test]
    fn each_line_is_a_datagram_in_the_dialect_of_its_reader() {
        let folder = scratch("sockets");
        let path = folder.join("log");
        let mut syslog = Sink::open("audit", &LineDestination::Syslog(path.clone())).unwrap();
        assert_eq!(syslog.write(b"6{\"a\":1}\n").unwrap_err().lines, 1, "nobody listens yet");
        let heard = UnixDatagram::bind(&path).unwrap();
        heard.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        syslog.write(b"6{\"a\":1}\n3{\"b\":2}\n").unwrap();
        let mut buffer = [0; 4096];
        let mut next = || {
            let length = heard.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        let first = next();
        let words: Vec<&str> = first.splitn(8, ' ').collect();
        assert_eq!((words[0], words[3], words[5]), ("<86>1", "superid-gateway", "audit"));
        assert_eq!((words[4], words[7]), (&*std::process::id().to_string(), "{\"a\":1}"));
        assert!(words[1].ends_with('Z') && words[6] == "-", "{first}");
        assert!(next().starts_with("<83>1 "));
        let mut journald = Sink::open("log", &LineDestination::Journald(path)).unwrap();
        journald.write(b"4{\"c\":3}\n").unwrap();
        assert_eq!(
            next(),
            "MESSAGE={\"c\":3}\nPRIORITY=4\nSYSLOG_IDENTIFIER=superid-gateway\n\
             SUPERID_GATEWAY_LOG=log\n"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }
}
