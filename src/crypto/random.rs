//! Random bytes, from the system or, in tests, from a counter.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use zeroize::Zeroize as _;

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

    /// The same for one piece of work that asks several times: its first bytes are drawn here and now.
    /// Each draw has the generator ask the processor, which takes longer than sealing. Nothing is kept
    /// from one request to the next: a machine that is copied while it runs would give it out twice.
    pub fn drawn(&self) -> Self {
        match &self.0 {
            Source::System => {
                Self(Source::Drawn(Arc::new(Mutex::new(Drawn { bytes: self.bytes(), used: 0 }))))
            }
            Source::Counter(_) | Source::Drawn(_) => self.clone(),
        }
    }

    /// `N` fresh bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => {
                aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives random bytes")
            }
            Source::Drawn(drawn) => {
                let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
                if !drawn.gives(&mut bytes) {
                    bytes = Self::system().bytes();
                }
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
    Drawn(Arc<Mutex<Drawn>>),
    System,
}

/// Bytes drawn ahead. What was given is gone from here.
struct Drawn {
    bytes: [u8; AHEAD],
    used: usize,
}

impl Drawn {
    /// Whether there were so many.
    fn gives(&mut self, bytes: &mut [u8]) -> bool {
        let Some(drawn) = self.bytes.get_mut(self.used..self.used + bytes.len()) else {
            return false;
        };
        bytes.copy_from_slice(drawn);
        drawn.zeroize();
        self.used += bytes.len();
        true
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl std::fmt::Debug for Drawn {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Drawn")
    }
}

/// What a sign-in begins with: a browser's secret, an attempt's three, and two nonces.
const AHEAD: usize = 120;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn bytes_drawn_ahead_are_given_once_and_then_there_are_others() {
        let mut seen = HashSet::new();
        for _ in 0..20 {
            let random = Random::system().drawn();
            for _ in 0..20 {
                assert!(seen.insert(random.bytes::<12>()), "given twice");
            }
        }
    }

    #[test]
    fn what_was_given_is_not_kept() {
        let mut drawn = Drawn { bytes: [7; AHEAD], used: 0 };
        let mut taken = [0; 100];
        assert!(drawn.gives(&mut taken) && taken == [7; 100]);
        assert!(!drawn.gives(&mut [0; 21]), "there are twenty");
        assert!(drawn.gives(&mut [0; 20]) && !drawn.gives(&mut [0; 1]));
        assert_eq!(drawn.bytes, [0; AHEAD]);
    }
}
