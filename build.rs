//! Has the linker pack the addresses that the loader fills in: half a megabyte less of the program.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Linkers that do not know it say so and go on.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}
