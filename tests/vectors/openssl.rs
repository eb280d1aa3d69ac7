//! The openssl program, another maker and reader of keys and signatures.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// openssl with a folder of its own, removed at the end of the test.
pub struct Openssl(PathBuf);

impl Openssl {
    /// openssl, where it is installed. Where it is not the test is skipped, aloud; with `CI=true` it
    /// fails.
    pub fn here() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if Command::new("openssl").arg("version").output().is_err() {
            let must = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!must, "openssl is not installed");
            let test = std::thread::current();
            let name = test.name().unwrap_or("a test").to_owned();
            let _said = writeln!(std::io::stderr(), "SKIPPED {name}: openssl is not installed");
            return None;
        }
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("superid-gateway-openssl-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Some(Self(folder))
    }

    /// A file of its folder that holds this.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// What it prints for these arguments and this input; it has to succeed.
    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = Command::new("openssl")
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "openssl {arguments:?}: {said}");
        done.stdout
    }

    /// The same as text.
    pub fn text(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.run(arguments, b"")).unwrap()
    }

    /// PKCS#1 v1.5 with SHA-256 over a message, under the key in a PEM file.
    pub fn signature(&self, key: &Path, message: &[u8]) -> Vec<u8> {
        self.run(&["dgst", "-sha256", "-sign", key.to_str().unwrap()], message)
    }

    /// SHA-256 of the public half of the key in a PEM file, in hex.
    pub fn fingerprint(&self, key: &Path) -> String {
        let public =
            self.run(&["rsa", "-in", key.to_str().unwrap(), "-pubout", "-outform", "DER"], b"");
        let digest = self.run(&["dgst", "-sha256", "-r"], &public);
        String::from_utf8(digest).unwrap().split(' ').next().unwrap().to_owned()
    }
}

impl Drop for Openssl {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}
