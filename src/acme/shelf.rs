//! The folder of an account: its key, its certificates, and what is remembered of orders.
//!
//! ```text
//! lock               held by the process that orders
//! account-….json     the account at an authority, and its key
//! NAME.pem           the key and the chain of [certificate.NAME], in one file: replaced in one step
//! NAME.json          what became of its latest order, and when the next is due
//! challenges/        what the authority will ask for, while an order is under way
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use instant_acme::AccountCredentials;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

use crate::config::{AcmeAccount, Ordered};
use crate::crypto::{Leaf, Secret, is_pair, private_file, sha256, stands_for};

/// One account's folder.
pub(super) struct Shelf<'s>(pub(super) &'s AcmeAccount);

/// Held by the process that orders, until dropped.
pub(super) struct Lock(#[expect(dead_code, reason = "it is held, not used")] File);

/// What is remembered of a certificate's orders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    /// What the certificate that is there was ordered for, by [`wish`].
    pub(super) issued_for: String,
    /// What the latest order was for.
    pub(super) wanted: String,
    /// Orders that failed since one did not.
    pub(super) failures: u32,
    /// Whether the authority said that there were too many: that holds for another wish too.
    pub(super) limited: bool,
    /// What became of the latest order, and why.
    pub(super) outcome: String,
    pub(super) detail: String,
    /// No order before this moment.
    pub(super) not_before: u64,
    /// No renewal before this moment; one that is gone is ordered all the same.
    pub(super) rests_until: u64,
    /// The window in which the authority would have it renewed, in seconds since 1970.
    pub(super) window: Option<(u64, u64)>,
    /// When it is asked for that again.
    pub(super) ask_again: u64,
}

/// The account as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    /// Whom the authority was told to write to.
    pub(super) contact: Vec<String>,
    pub(super) credentials: AccountCredentials,
}

/// A certificate with its key, which belong together.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) leaf: Leaf,
    der: CertificateDer<'static>,
}

impl Chain {
    /// Reads both out of PEM.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn read(pem: &[u8]) -> Result<Self, String> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        let der = chain.first().ok_or("it holds no certificate")?.clone();
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| error.to_string())?;
        is_pair(chain, key)?;
        let leaf = Leaf::read(&der).ok_or("its validity cannot be read")?;
        Ok(Self { leaf, der })
    }

    /// Whether it stands for all of these.
    pub(super) fn covers(&self, hosts: &[String]) -> bool {
        hosts.iter().all(|host| stands_for(&self.der, host))
    }

    /// A number that stays with this certificate.
    pub(super) fn dice(&self) -> u64 {
        let digest = sha256(&[&self.der]);
        digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// What a certificate is ordered for, in a word of fixed length.
pub(super) fn wish(one: &Ordered) -> String {
    let hosts = one.hosts.join(",");
    let parts = [one.account.directory.as_str(), one.challenge.word(), &hosts].join("\n");
    URL_SAFE_NO_PAD.encode(&sha256(&[parts.as_bytes()])[..12])
}

impl Shelf<'_> {
    /// Makes the folder and takes its lock; `None` where another process has it.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub(super) fn lock(&self) -> io::Result<Option<Lock>> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0.folder)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(self.0.folder.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The certificate that is there, if it can be used.
    pub(super) fn chain(&self, one: &Ordered) -> Option<Chain> {
        let pem = read(&one.file()).ok()?;
        let chain = Chain::read(pem.reveal().as_bytes());
        chain.inspect_err(|why| unusable(&one.file(), why)).ok()
    }

    /// Puts a key and its chain in place, in one step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn put(&self, one: &Ordered, pem: &Secret) -> io::Result<()> {
        write(&one.file(), pem.reveal())
    }

    /// What is remembered of a certificate's orders; nothing where that cannot be read.
    pub(super) fn memory(&self, one: &Ordered) -> Memory {
        let text = read(&self.memory_file(one));
        let read = text.ok().and_then(|text| serde_json::from_str(text.reveal()).ok());
        read.unwrap_or_default()
    }

    /// Remembers it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn remember(&self, one: &Ordered, memory: &Memory) -> io::Result<()> {
        write(&self.memory_file(one), &serde_json::to_string_pretty(memory)?)
    }

    /// The account, if there is one.
    ///
    /// # Errors
    /// When there is one that cannot be read: another would be made in its place.
    pub(super) fn account(&self) -> io::Result<Option<Kept>> {
        match read(&self.account_file()) {
            Ok(text) => Ok(Some(serde_json::from_str(text.reveal())?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps the account.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn keep(&self, account: &Kept) -> io::Result<()> {
        write(&self.account_file(), Secret::new(serde_json::to_string(account)?).reveal())
    }

    /// Lets go of an account that the authority does not know.
    pub(super) fn forget_account(&self) {
        let _gone = fs::remove_file(self.account_file());
    }

    fn memory_file(&self, one: &Ordered) -> PathBuf {
        self.0.folder.join(format!("{}.json", one.name))
    }

    /// One for each authority, and for each account of another kind that ours is bound to.
    fn account_file(&self) -> PathBuf {
        let bound = self.0.binding.as_ref().map_or("", |binding| &binding.id);
        let digest = sha256(&[self.0.directory.as_str().as_bytes(), b"\n", bound.as_bytes()]);
        self.0.folder.join(format!("account-{}.json", URL_SAFE_NO_PAD.encode(&digest[..9])))
    }
}

fn unusable(file: &Path, why: &str) {
    tracing::debug!("acme: {} cannot be used: {why}", file.display());
}

fn read(file: &Path) -> io::Result<Secret> {
    let mut text = String::new();
    File::open(file)?.take(MOST).read_to_string(&mut text)?;
    Ok(Secret::new(text))
}

/// Whoever calls holds the folder's lock, so what a process that died left half-written is nobody's.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let mut left = file.file_name().unwrap_or_default().to_owned();
    left.push(".new");
    let _none = fs::remove_file(file.with_file_name(left));
    private_file::replace(file, text)
}

/// Bytes: a chain of a hundred hosts has less than ten thousand.
const MOST: u64 = 1 << 20;
