//! `address = "unix:…"`: a socket in the file system, and who may open it.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::web::ProxyPlace;

use super::local_user::{group, user};
use super::reading::quoted;
use super::section::Section;
use super::value::Value;

/// Where a listener listens. Displays as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    Network(SocketAddr),
    Unix(UnixSocket),
}

/// A socket in the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// Absolute.
    pub path: PathBuf,
    /// Who may connect: whoever may write it.
    pub mode: u32,
    /// Whose it is; `None` where it stays that of the user we run as.
    pub owner: Option<u32>,
    pub group: Option<u32>,
}

impl ListenAddress {
    /// The address on the network, if it is one.
    pub fn network(&self) -> Option<SocketAddr> {
        match self {
            Self::Network(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }

    /// Whether only programs on this machine reach it.
    pub fn is_local(&self) -> bool {
        self.network().is_none_or(|address| address.ip().is_loopback())
    }

    /// Whether somebody from there can connect to it.
    pub(super) fn is_reached_from(&self, place: &ProxyPlace) -> bool {
        match (place, self) {
            (ProxyPlace::Unix, Self::Unix(_)) | (ProxyPlace::Network(_), Self::Network(_)) => true,
            (ProxyPlace::Unix, _) | (ProxyPlace::Network(_), _) => false,
        }
    }

    /// What to do where it is taken.
    pub(super) fn instead(&self) -> &'static str {
        match self {
            Self::Network(_) => "choose another port",
            Self::Unix(_) => "choose another path",
        }
    }

    /// Whether both cannot be opened.
    pub fn collides(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Network(one), Self::Network(other)) => one == other && one.port() != 0,
            (Self::Unix(one), Self::Unix(other)) => one.path == other.path,
            (Self::Network(_), Self::Unix(_)) | (Self::Unix(_), Self::Network(_)) => false,
        }
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Network(address)
    }
}

impl std::fmt::Display for ListenAddress {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network(address) => address.fmt(out),
            Self::Unix(socket) => write!(out, "unix:{}", socket.path.display()),
        }
    }
}

/// Nobody listens on the way through a socket in the file system.
pub(super) fn refuse_tls(section: &Section) {
    if let Some(key) =
        ["certificate", "key", "named_certificate"].into_iter().find(|key| section.has(key))
    {
        section.reading.problem(
            &section.place(key),
            "means nothing on a unix socket, which no network leads to",
            "leave it out",
        );
    }
}

/// Reads `address`, and the keys that go with a socket in the file system, which an example calls
/// by this name.
pub(super) fn listen_address(section: &Section, example: &str) -> Option<ListenAddress> {
    let mut is_unix = false;
    let address = section.read("address", |value| {
        let Some(path) = value.raw.as_str().and_then(|text| text.strip_prefix("unix:")) else {
            return network(value).map(Listen::Network);
        };
        is_unix = true;
        place(value, path, example).map(Listen::Unix)
    });
    if !is_unix {
        refuse_beside_network(section, example);
    }
    let mode = match section.has("socket_mode") {
        true => section.optional("socket_mode", mode),
        false => Some(ORDINARY_MODE),
    };
    let owner = section.optional("socket_owner", user);
    let group = section.optional("socket_group", group);
    let whole = section.has("socket_owner") == owner.is_some()
        && section.has("socket_group") == group.is_some();
    match address? {
        Listen::Network(address) => Some(ListenAddress::Network(address)),
        Listen::Unix(path) if whole => {
            Some(ListenAddress::Unix(UnixSocket { path, mode: mode?, owner, group }))
        }
        Listen::Unix(_) => None,
    }
}

enum Listen {
    Network(SocketAddr),
    Unix(PathBuf),
}

fn network(value: &Value) -> Option<SocketAddr> {
    let text = value.text()?;
    text.parse().ok().or_else(|| {
        value.refuse(
            format!("{} is not an address", quoted(text)),
            format!(
                "write an IP address and a port, such as {}, or \"unix:\" and a path",
                value.key.text
            ),
        )
    })
}

/// A path a socket can have, in a folder where nobody else can put another in its place.
fn place(value: &Value, text: &str, example: &str) -> Option<PathBuf> {
    let example = format!("write \"unix:/run/superid-gateway/{example}.sock\"");
    let joined = value.reading.path(text);
    let (Ok(path), false) = (std::path::absolute(&joined), is_folder(text)) else {
        return value.refuse(format!("{} names no file", quoted(text)), example);
    };
    if !fits(&path) {
        let wrong = format!("{} is too long for a socket's name", quoted(text));
        return value.refuse(wrong, format!("use at most {LONGEST} bytes, as an absolute path"));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    match fs::metadata(folder) {
        Ok(metadata) if !metadata.is_dir() => {
            value.refuse(format!("{} is not in a folder", quoted(text)), example)
        }
        // Everybody may write, and nothing keeps them from replacing what others made.
        Ok(metadata) if metadata.permissions().mode() & 0o1002 == 0o002 => value.refuse(
            format!("everybody may put another socket in place of {}", quoted(text)),
            "chmod o-w its folder, or choose another",
        ),
        Ok(_) => Some(path),
        Err(_) => {
            value.reading.warn(
                &value.place,
                format!("the folder of {} cannot be looked at", quoted(text)),
                "make it before the gateway runs; systemd does with RuntimeDirectory=",
            );
            Some(path)
        }
    }
}

fn is_folder(text: &str) -> bool {
    let last = text.rsplit('/').next().unwrap_or_default();
    ["", ".", ".."].contains(&last)
}

fn fits(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    bytes.len() <= LONGEST && !bytes.contains(&0)
}

/// Permissions as `chmod` takes them.
fn mode(value: &Value) -> Option<u32> {
    let text = value.text()?;
    let digits = text.strip_prefix('0').unwrap_or(text);
    let mode = (digits.len() == 3).then(|| u32::from_str_radix(digits, 8).ok()).flatten();
    match mode {
        Some(mode) if mode & 0o111 == 0 => Some(mode),
        _ => value.refuse(
            format!("{} is no mode of a socket", quoted(text)),
            "write \"0660\" for the owner and the group, \"0600\" for the owner, \"0666\" for everybody",
        ),
    }
}

fn refuse_beside_network(section: &Section, example: &str) {
    for key in ["socket_mode", "socket_owner", "socket_group"] {
        if section.has(key) {
            section.reading.problem(
                &section.place(key),
                "means nothing for an address on the network",
                format!(
                    "leave it out, or write address = \"unix:/run/superid-gateway/{example}.sock\""
                ),
            );
        }
    }
}

/// The owner's and the group's.
const ORDINARY_MODE: u32 = 0o660;
/// Bytes of a socket's path, one less than `sun_path` of unix(7) has.
const LONGEST: usize = 107;
