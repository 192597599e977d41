//! Ctrl-C and the signal by which pipelines end what they started.

use crate::failure::Failure;

/// Who is told to stop.
pub struct Interrupts {
    #[cfg(unix)]
    typed: tokio::signal::unix::Signal,
    #[cfg(unix)]
    sent: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Interrupts {
    /// From now on a signal ends nothing by itself.
    pub fn listen() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let deaf = |cause: std::io::Error| Failure::Undecided(cause.to_string());
        Ok(Self {
            typed: signal(SignalKind::interrupt()).map_err(deaf)?,
            sent: signal(SignalKind::terminate()).map_err(deaf)?,
        })
    }

    /// Until the next signal, or the one that came meanwhile.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.typed.recv() => {}
            _ = self.sent.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Interrupts {
    /// From now on Ctrl-C ends nothing by itself.
    pub fn listen() -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// Until Ctrl-C is pressed.
    pub async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}
