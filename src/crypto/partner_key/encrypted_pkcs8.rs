//! Encrypted PKCS#8 (RFC 5958 §3) under PBES2, as `openssl pkcs8 -topk8` writes it.

use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use zeroize::Zeroizing;

use super::KeyRefused;

/// The `PrivateKeyInfo` inside.
pub(super) fn decrypt(der: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, KeyRefused> {
    let sealed = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| KeyRefused::Malformed)?;
    let EncryptionScheme::Pbes2(parameters) = &sealed.encryption_algorithm else {
        return Err(KeyRefused::Cipher);
    };
    let bearable = match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= MOST_ROUNDS,
        Kdf::Scrypt(scrypt) => {
            let block = 128 * u64::from(scrypt.block_size);
            scrypt.cost_parameter.saturating_mul(block) <= MOST_MEMORY
                && scrypt.parallelization <= MOST_LANES
        }
        _ => return Err(KeyRefused::Cipher),
    };
    if !bearable {
        return Err(KeyRefused::Costly);
    }
    let opened = sealed.decrypt(passphrase).map_err(|_| KeyRefused::PassphraseWrong)?;
    Ok(Zeroizing::new(opened.as_bytes().to_vec()))
}

/// A few seconds of one core.
const MOST_ROUNDS: u32 = 10_000_000;
const MOST_MEMORY: u64 = 256 << 20;
const MOST_LANES: u16 = 16;
