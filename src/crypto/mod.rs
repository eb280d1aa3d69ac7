//! Secrets that cannot print, sealing with a ring of keys, digests and random bytes.

mod assertion_key;
mod certificate;
mod client_tls;
mod digest;
mod es256;
mod halved;
mod key_list;
mod mac;
mod partner_key;
pub mod private_file;
mod provider;
mod random;
mod rsa_public;
mod seal;
mod secret;

pub use assertion_key::{AssertionKey, NoAssertionKey};
pub use certificate::{Leaf, is_pair, stands_for};
pub use client_tls::{Authorities, ClientIdentity, ClientTls};
pub use digest::{plain_sha256, sha256};
pub use es256::{Es256Key, NoEs256Key};
pub use halved::Half;
pub use key_list::{Key, KeyList, NoKeyList, Standing, Turn, name_of, named};
pub use mac::MacKey;
pub use partner_key::{
    CannotSign, KeyForm, KeyRefused, PartnerKey, SigningFailed, SigningKey, WeakKeys,
};
pub use provider::install_provider;
pub use random::Random;
pub use rsa_public::{RsaPublic, Sha};
pub use seal::{KeyId, KeyRing, Purpose, SealedBy, Unsealable};
pub use secret::Secret;
