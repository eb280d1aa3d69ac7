//! A socket before Redis' that stands for a slow disk: who asks when a write is on it waits, and with
//! them whatever else is asked on the same connection, as Redis does it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use superid_gateway::clock::Clock;
use superid_gateway::config::{Redis, RedisAddress};
use superid_gateway::crypto::{KeyRing, Random};
use superid_gateway::redis_link::RedisLink;
use superid_gateway::vault::{Sealer, Shared, Vault};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::redis_server::RedisServer;
use crate::world::{KEY, NOW, entry, key, token};

#[tokio::test]
async fn while_a_write_waits_for_the_disk_reads_are_answered() {
    let Some(redis) = RedisServer::start() else { return };
    let disk = SlowDisk::before(&redis.socket());
    let address = RedisAddress::Unix(disk.socket.clone());
    let link = RedisLink::open(&Redis { address, ..redis.config() }, Random::system()).unwrap();
    let sealer = Sealer::new(KeyRing::new(&[KEY]), Random::system());
    let vault = Vault::over(Arc::new(Shared::over(link)), sealer, Clock::manual(NOW));
    let writing = tokio::spawn({
        let vault = vault.clone();
        async move { vault.put(entry(1, 1)).await }
    });
    disk.is_asked().await;
    let read = timeout(Duration::from_secs(1), vault.get(&key(1))).await;
    let read = read.expect("a read waits for nobody's disk");
    assert_eq!(token(read.unwrap()), "Our App-1-1");
    assert!(!writing.is_finished(), "a write is answered once it is on the disk");
    disk.writes();
    writing.await.unwrap().unwrap();
}

struct SlowDisk {
    socket: PathBuf,
    asked: watch::Sender<bool>,
    written: watch::Sender<bool>,
}

impl SlowDisk {
    fn before(redis: &Path) -> Self {
        let socket = redis.with_file_name("slow.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (asked, written) = (watch::channel(false).0, watch::channel(false).0);
        let (redis, ask, wait) = (redis.to_owned(), asked.clone(), written.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&redis).await.unwrap();
                tokio::spawn(pass(client, server, ask.clone(), wait.subscribe()));
            }
        });
        Self { socket, asked, written }
    }

    async fn is_asked(&self) {
        let mut asked = self.asked.subscribe();
        let asked = asked.wait_for(|asked| *asked);
        timeout(Duration::from_secs(10), asked).await.expect("it is asked").unwrap();
    }

    fn writes(&self) {
        self.written.send_replace(true);
    }
}

/// Passes commands and answers on, one after another; the question for the disk it answers itself.
async fn pass(
    mut client: UnixStream,
    mut server: UnixStream,
    asked: watch::Sender<bool>,
    mut written: watch::Receiver<bool>,
) {
    let (mut commands, mut answers) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut commands) => {
                let Ok(count @ 1..) = read else { return };
                if String::from_utf8_lossy(&commands[..count]).contains("WAITAOF") {
                    asked.send_replace(true);
                    let Ok(_) = written.wait_for(|written| *written).await else { return };
                    client.write_all(b"*2\r\n:1\r\n:0\r\n").await.unwrap();
                } else if server.write_all(&commands[..count]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answers) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&answers[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
