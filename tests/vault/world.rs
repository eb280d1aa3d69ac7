//! A folder of a test's own, entries to keep, and vaults that keep them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use superid_gateway::clock::{Clock, Timestamp};
use superid_gateway::config::{self, VaultPlace};
use superid_gateway::crypto::{KeyRing, Random};
use superid_gateway::identity::{ContextId, SystemUserToken, TenantKey};
use superid_gateway::vault::{Entry, Vault, VaultFailed};

/// Removed with everything in it at the end of the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("superid-gateway-vault-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("vault.db")
    }

    /// The file's bytes once nobody has it open: its log has gone then.
    pub fn closed(&self) -> Vec<u8> {
        while self.0.join("vault.db-wal").exists() {
            std::thread::yield_now();
        }
        std::fs::read(self.file()).unwrap()
    }

    /// The vault in this folder under the one key of the tests.
    pub fn vault(&self) -> Vault {
        open(&self.file(), &[KEY]).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

pub const KEY: [u8; 32] = [7; 32];
pub const OTHER_KEY: [u8; 32] = [8; 32];
pub const NOW: Timestamp = Timestamp(1_800_000_000);

pub fn open(file: &Path, keys: &[[u8; 32]]) -> Result<Vault, VaultFailed> {
    open_at(file, keys, Clock::manual(NOW))
}

pub fn open_at(file: &Path, keys: &[[u8; 32]], clock: Clock) -> Result<Vault, VaultFailed> {
    let place = VaultPlace::File(file.to_owned());
    Vault::open(&config::Vault { place, keys: KeyRing::new(keys) }, clock, Random::system())
}

pub fn key(tenant: u32) -> TenantKey {
    TenantKey {
        environment: "sod".into(),
        client_id: "0123456789abcdef".into(),
        tenant: ContextId::parse(&format!("Cust{tenant}")).unwrap(),
    }
}

/// The entry of a tenant, whose token says which one it is.
pub fn entry(tenant: u32, version: u32) -> Entry {
    Entry {
        key: key(tenant),
        serial: format!("{}", 1_000_000 + tenant),
        web_api_url: Some(format!("https://sod2.superoffice.com/Cust{tenant}/api/")),
        token: SystemUserToken::parse(&format!("Our App-{tenant}-{version}")).unwrap(),
        consented_by: "admin@example.com".to_owned(),
        stored: NOW,
        dormant: None,
    }
}

pub fn token(entry: Option<Entry>) -> String {
    entry.map_or_else(|| "none".to_owned(), |entry| entry.token.reveal().to_owned())
}

/// A runtime for tests that are not asynchronous themselves.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

/// Waits for something that comes within ten seconds.
pub async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(10), "it did not come");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
