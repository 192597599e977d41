//! A malware scanner that fails: for the answers that a real one gives too seldom to be waited for.

use std::{io, path::Path};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, UnixListener},
    task::JoinHandle,
};

/// What it does when it is sent a file.
#[derive(Debug, Clone, Copy)]
pub enum Does {
    /// Takes all of it and says this.
    Says(&'static [u8]),
    /// Says this after the first bytes, and closes.
    Interrupts(&'static [u8]),
    /// Closes after the first bytes.
    Closes,
    /// Takes all of it and says nothing.
    Hangs,
}

/// A running one; it ends when this is dropped.
pub struct Clamd {
    /// Where it is, for `CLAMD_URL`.
    pub url: String,
    task: JoinHandle<()>,
}

impl Clamd {
    /// Starts one on a free port.
    pub async fn start(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, does));
            }
        });
        Self {
            url: format!("tcp://{address}"),
            task,
        }
    }

    /// Starts one on a socket.
    pub fn on_socket(path: &Path, does: Does) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, does));
            }
        });
        Self {
            url: format!("unix://{}", path.display()),
            task,
        }
    }
}

impl Drop for Clamd {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut peer: impl AsyncRead + AsyncWrite + Unpin, does: Does) -> io::Result<()> {
    let mut command = Vec::new();
    while command.last() != Some(&0) {
        command.push(peer.read_u8().await?);
    }
    match command.as_slice() {
        b"zPING\0" => return peer.write_all(b"PONG\0").await,
        b"zVERSION\0" => return peer.write_all(b"Fake 1\0").await,
        _ => {}
    }
    let first = peer.read_u32().await?;
    match does {
        Does::Closes => Ok(()),
        Does::Interrupts(answer) => peer.write_all(answer).await,
        Does::Says(answer) => {
            take_all(&mut peer, first).await?;
            peer.write_all(answer).await
        }
        Does::Hangs => {
            take_all(&mut peer, first).await?;
            std::future::pending().await
        }
    }
}

/// Reads pieces to the empty one; the length of the first is read already.
async fn take_all(peer: &mut (impl AsyncRead + Unpin), mut length: u32) -> io::Result<()> {
    while length > 0 {
        let mut piece = vec![0; length as usize];
        peer.read_exact(&mut piece).await?;
        length = peer.read_u32().await?;
    }
    Ok(())
}
