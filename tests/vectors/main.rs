//! Tokens, keys and certificates that other people published, through our verifier.

mod certificate;
mod jose_cookbook;
mod published;
mod superoffice;
mod wycheproof;
