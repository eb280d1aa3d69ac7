//! Disks that are full or read-only.
//!
//! A small disk of memory is mounted, which only root may do; a folder of root's is written by
//! nobody, for which one has to be root too. Others are told that this was not tried.

use std::fs;
use std::path::Path;
use std::process::Command;

use superid_gateway::vault::VaultFailed;

use crate::crowd::ARGUMENTS;
use crate::world::{Folder, KEY, entry, key, open, token, wait};
use crate::writer::{Orders, Writer};

#[test]
fn a_full_disk_refuses_the_write_and_keeps_what_was() {
    let Some(disk) = Disk::mount("size=256k") else { return };
    let vault = open(&disk.file(), &[KEY]).unwrap();
    wait(vault.put(entry(1, 1))).unwrap();
    let mut kept = 1;
    let failed = loop {
        match wait(vault.put(entry(kept + 1, 1))) {
            Ok(()) => kept += 1,
            Err(failed) => break failed,
        }
    };
    assert!(matches!(failed, VaultFailed::DiskFull), "{failed}");
    let failed = wait(vault.put(entry(kept + 2, 1))).unwrap_err();
    assert!(matches!(failed, VaultFailed::DiskFull), "{failed}");
    println!("a disk of 256 KiB was full after {kept} entries");
    for vault in [&vault, &open(&disk.file(), &[KEY]).unwrap()] {
        for tenant in 1..=kept {
            let found = token(wait(vault.get(&key(tenant))).unwrap());
            assert_eq!(found, format!("Our App-{tenant}-1"));
        }
        assert_eq!(wait(vault.verify()).unwrap().faults, []);
    }
    disk.remount("size=512k");
    wait(vault.put(entry(kept + 1, 1))).unwrap();
}

#[test]
fn a_full_disk_refuses_a_new_vault() {
    let Some(disk) = Disk::mount("size=64k") else { return };
    fs::write(disk.0.path().join("other"), vec![1; 64 << 10]).unwrap();
    let failed = open(&disk.file(), &[KEY]).unwrap_err();
    assert!(matches!(failed, VaultFailed::DiskFull), "{failed}");
}

#[test]
fn a_read_only_disk_is_told_and_nothing_is_lost_by_it() {
    let Some(disk) = Disk::mount("size=1m") else { return };
    wait(open(&disk.file(), &[KEY]).unwrap().put(entry(1, 1))).unwrap();
    while disk.0.path().join("vault.db-wal").exists() {
        std::thread::yield_now();
    }
    disk.remount("ro");
    for file in [disk.file(), disk.0.path().join("new.db")] {
        let failed = open(&file, &[KEY]).unwrap_err();
        assert!(matches!(failed, VaultFailed::ReadOnly), "{failed}");
    }
    disk.remount("rw");
    let vault = open(&disk.file(), &[KEY]).unwrap();
    assert_eq!(token(wait(vault.get(&key(1))).unwrap()), "Our App-1-1");
}

#[test]
fn a_file_of_another_user_is_told_to_be_read_only() {
    if !root() {
        return println!("not tried: it takes root to be somebody else");
    }
    let folder = Folder::new();
    let vault = folder.vault();
    wait(vault.put(entry(1, 1))).unwrap();
    for file in fs::read_dir(folder.path()).unwrap() {
        set_mode(&file.unwrap().path(), 0o644);
    }
    set_mode(folder.path(), 0o755);
    let mut nobody = Command::new(std::env::current_exe().unwrap());
    std::os::unix::process::CommandExt::uid(&mut nobody, 65_534);
    let orders = Orders { first: 1, version: 2, writes: 1 };
    let writer = Writer::start_with(nobody, ARGUMENTS, &folder.file(), orders);
    let words = writer.next().unwrap().unwrap_err();
    assert!(words.contains("read-only for this user"), "{words}");
    assert_eq!(token(wait(vault.get(&key(1))).unwrap()), "Our App-1-1");
}

/// A disk of memory, gone at the end of the test.
struct Disk(Folder);

impl Disk {
    fn mount(options: &str) -> Option<Self> {
        let folder = Folder::new();
        let mount = ["-t", "tmpfs", "-o", options, "none"];
        let mounted = root()
            && Command::new("mount").args(mount).arg(folder.path()).status().unwrap().success();
        if !mounted {
            println!("not tried: no disk of memory can be mounted here");
        }
        mounted.then_some(Self(folder))
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let call = Command::new("mount").args(["-o", &options]).arg(self.0.path()).status();
        assert!(call.unwrap().success());
    }

    fn file(&self) -> std::path::PathBuf {
        self.0.file()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever still has the file open loses nothing by it.
        let _gone = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
