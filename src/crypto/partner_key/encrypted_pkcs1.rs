//! The older encryption of PEM files: `DEK-Info`, a key from MD5, and a block cipher in CBC mode.
//!
//! It protects little, so a file in this form is read and never written. The key is what OpenSSL's
//! `EVP_BytesToKey` derives with one round of MD5 and the first eight bytes of the vector as salt.

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use des::TdesEde3;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::KeyRefused;
use super::pem::Block;

/// The `RSAPrivateKey` inside, or nothing when the block is not encrypted.
pub(super) fn decrypt(
    block: &Block<'_>,
    passphrase: Option<&str>,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyRefused> {
    let Some(kind) = block.header("Proc-Type") else { return Ok(None) };
    if kind != "4,ENCRYPTED" {
        return Err(KeyRefused::Malformed);
    }
    let info = block.header("DEK-Info").ok_or(KeyRefused::Malformed)?;
    let (cipher, vector) = info.split_once(',').ok_or(KeyRefused::Malformed)?;
    let vector = unhex(vector).ok_or(KeyRefused::Malformed)?;
    let passphrase = passphrase.ok_or(KeyRefused::PassphraseMissing)?;
    let open = match cipher {
        "AES-128-CBC" => open::<Decryptor<Aes128>, 16, 16>,
        "AES-192-CBC" => open::<Decryptor<Aes192>, 24, 16>,
        "AES-256-CBC" => open::<Decryptor<Aes256>, 32, 16>,
        "DES-EDE3-CBC" => open::<Decryptor<TdesEde3>, 24, 8>,
        _ => return Err(KeyRefused::Cipher),
    };
    open(&block.bytes, passphrase, &vector).map(Some)
}

fn open<D: BlockModeDecrypt + KeyIvInit, const KEY: usize, const VECTOR: usize>(
    sealed: &[u8],
    passphrase: &str,
    vector: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyRefused> {
    let salt = vector.get(..8).filter(|_| vector.len() == VECTOR).ok_or(KeyRefused::Malformed)?;
    let key = derive::<KEY>(passphrase, salt);
    let cipher = D::new_from_slices(key.as_slice(), vector).map_err(|_| KeyRefused::Malformed)?;
    let mut opened = Zeroizing::new(sealed.to_vec());
    let plain =
        cipher.decrypt_padded::<Pkcs7>(&mut opened).map_err(|_| KeyRefused::PassphraseWrong)?.len();
    opened.truncate(plain);
    Ok(opened)
}

fn derive<const KEY: usize>(passphrase: &str, salt: &[u8]) -> Zeroizing<[u8; KEY]> {
    let mut key = Zeroizing::new([0; KEY]);
    let mut block = Zeroizing::new([0_u8; 16]);
    for (round, chunk) in key.chunks_mut(16).enumerate() {
        let mut hash = Md5::new();
        if round > 0 {
            hash.update(block.as_slice());
        }
        hash.update(passphrase);
        hash.update(salt);
        block.copy_from_slice(&hash.finalize());
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
    key
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 64 || !text.is_ascii() {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
