//! Connections that say who acts: the triggers of the audit log read it from a setting of the
//! session. It is wiped before the connection serves anybody else; where that is not to be had, the
//! connection is closed.

use std::ops::{Deref, DerefMut};

use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection, pooled_connection};
use domain::audit::Signature;

use super::{Pool, PoolError, Pooled};

diesel::define_sql_function! {
    /// Changes a setting.
    fn set_config(name: Text, value: Text, is_local: Bool) -> Text;
}

/// A connection out of the pool, signed or not.
pub struct Signed {
    connection: Option<Pooled>,
    is_signed: bool,
}

/// A connection whose changes are ascribed as `signature` says, until it goes back.
pub async fn signed(pool: &Pool, signature: &Signature) -> Result<Signed, PoolError> {
    let mut connection = Signed {
        connection: Some(pool.get().await?),
        is_signed: true,
    };
    let failed = |cause| PoolError::Backend(pooled_connection::PoolError::QueryError(cause));
    let text = serde_json::to_string(signature)
        .map_err(|cause| failed(diesel::result::Error::SerializationError(Box::new(cause))))?;
    diesel::select(set_config("audit.actor", text, false))
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    Ok(connection)
}

impl From<Pooled> for Signed {
    fn from(connection: Pooled) -> Self {
        Self {
            connection: Some(connection),
            is_signed: false,
        }
    }
}

impl Deref for Signed {
    type Target = AsyncPgConnection;
    fn deref(&self) -> &AsyncPgConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("taken only when it is dropped"),
        }
    }
}

impl DerefMut for Signed {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("taken only when it is dropped"),
        }
    }
}

impl Drop for Signed {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if !self.is_signed {
            return;
        }
        let worn = Worn(Some(connection));
        // The answer does not wait for it. Without a runtime, the connection is closed.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(worn.wipe()));
        }
    }
}

/// A connection that still bears a signature: dropped as it is, it does not go back to the pool.
struct Worn(Option<Pooled>);

impl Worn {
    async fn wipe(mut self) {
        if let Some(connection) = &mut self.0
            && connection.batch_execute("RESET audit.actor").await.is_ok()
        {
            drop(self.0.take());
        }
    }
}

impl Drop for Worn {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(Pooled::take(connection));
        }
    }
}
