//! Why a text is no partner key, and what to do about it; and that a key did not sign.

/// Why no key was read. Nothing of the text is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    /// The file's own encryption is one we do not undo.
    #[error("is encrypted in a way that is not read here")]
    Cipher,
    /// Deriving its key would take minutes or gigabytes.
    #[error("asks for more work than any pass phrase is worth")]
    Costly,
    /// Some part is missing, twice, or not what it should be.
    #[error("is damaged: it looks like an RSA key but does not read as one")]
    Malformed,
    /// Neither PEM nor RSAKeyValue XML.
    #[error("is neither PEM nor RSAKeyValue XML")]
    NotAKey,
    /// A key of another kind.
    #[error("holds a key that is not RSA")]
    NotRsa,
    /// It is encrypted, and no pass phrase was given.
    #[error("is encrypted, and there is no pass phrase for it")]
    PassphraseMissing,
    /// The pass phrase does not open it.
    #[error("does not open with the pass phrase given")]
    PassphraseWrong,
    /// The private half is not in it.
    #[error("holds no private key")]
    PublicOnly,
    /// Two private keys: which is meant?
    #[error("holds more than one private key")]
    Several,
    /// Fewer than 1,024 or more than 8,192 bits, or over 64 kB of text.
    #[error("holds a key outside 1,024 to 8,192 bits")]
    Size,
}

impl KeyRefused {
    /// The way out, as an instruction.
    pub fn instead(self) -> &'static str {
        match self {
            Self::Cipher => {
                "decrypt it with openssl rsa -in FILE -out PLAIN, and keep the plain file safe"
            }
            Self::Costly => "encrypt it anew with openssl pkcs8 -topk8 -v2 aes-256-cbc",
            Self::Malformed => "copy the file again, whole and unchanged",
            Self::NotAKey => "use the key as SuperOffice gave it: RSAKeyValue XML, or PEM",
            Self::NotRsa | Self::Size => "use the RSA key SuperOffice gave out for the app",
            Self::PassphraseMissing => "give the pass phrase too",
            Self::PassphraseWrong => "give the pass phrase the key was encrypted with",
            Self::PublicOnly => "use the file with the private key, which SuperOffice showed once",
            Self::Several => "leave one of them in the file",
        }
    }
}

/// The signature could not be made: the machine gave no random bytes, or no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key did not sign")]
pub struct SigningFailed;
