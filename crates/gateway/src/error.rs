//! Why a model cannot even be called.

use domain::models::{ProviderKeyId, ProviderName};
use integrations::{http::ReachError, llm::SetupError, sealing::OpenError, trackers};

/// What keeps a company from calling a model. The sentences are for its people; what the operator
/// needs besides is in the variants.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody has a key.
    #[error(
        "needs a key for {0}: an admin stores one under /api/provider-keys. The model mock/text-1 needs none"
    )]
    NoKey(ProviderName),
    /// The company's key was sealed otherwise, or elsewhere.
    #[error(
        "Your company's key for this provider cannot be opened. Ask the operator to look at SEALING_KEYS, \
         or an admin to store the key again."
    )]
    Closed {
        /// Which key.
        key: ProviderKeyId,
        /// Why; nothing of the key is in it.
        cause: OpenError,
    },
    /// The key's address is one that may not be called, or may not any more.
    #[error("The address of your company's key {0}.")]
    Address(#[from] ReachError),
    /// The settings of this installation make no provider.
    #[error(transparent)]
    Setup(SetupError),
}

/// Why the gateway cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The settings of this installation make no provider.
    #[error(transparent)]
    Providers(#[from] SetupError),
    /// They reach no tracker.
    #[error(transparent)]
    Trackers(trackers::SetupError),
}
