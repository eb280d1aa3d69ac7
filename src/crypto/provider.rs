//! One cryptographic library for the whole process.

/// Makes aws-lc the process's TLS provider. The first to ask wins, so this comes before any
/// object of pingora's or rustls'.
pub fn install_provider() {
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
}
