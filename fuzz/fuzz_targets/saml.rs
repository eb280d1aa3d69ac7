//! Feeds libFuzzer's bytes to the target of this name.
#![no_main]

#[path = "../../tests/fuzz/targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    targets::saml(bytes);
});
