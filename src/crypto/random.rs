//! Random bytes, from the system or, in tests, from a counter.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::digest::sha256;

/// The one source of randomness; cheap to clone.
#[derive(Clone, Debug)]
pub struct Random(Source);

impl Random {
    /// The operating system's generator, through aws-lc.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Predictable bytes for tests: a hash of a counter. Two calls never give the same.
    pub fn counting() -> Self {
        Self(Source::Counter(Arc::new(AtomicU64::new(0))))
    }

    /// `N` fresh bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => {
                aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes")
            }
            Source::Counter(counter) => {
                for chunk in bytes.chunks_mut(32) {
                    let count = counter.fetch_add(1, Ordering::SeqCst);
                    let block = sha256(&[&count.to_be_bytes()]);
                    chunk.copy_from_slice(&block[..chunk.len()]);
                }
            }
        }
        bytes
    }

    /// 256 random bits as 43 characters of base64url: a nonce, a verifier, a binding.
    pub fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }
}

#[derive(Clone, Debug)]
enum Source {
    Counter(Arc<AtomicU64>),
    System,
}
