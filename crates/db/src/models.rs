//! The registry of models: seeded rows are everybody's and are not changed; a company adds its own,
//! hides what it does not want, and chooses a default of each kind.

mod resolve;
mod write;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    models::{
        Capabilities, Label, ModelDescription, ModelId, ModelKind, ModelName, Prices,
        ProviderKeyId, ProviderName,
    },
    page::{Limit, Page},
    users::CompanyId,
};
use serde::{Deserialize, Serialize};

use crate::{Connection, prepared::Prepare};
pub use resolve::{PricedBy, ResolvedModel, SealedKey, default_of, prices_for, resolve};
pub use write::{
    CreateError, DeleteError, ModelChanges, NewModel, RowChanges, UpdateError, create, delete,
    update,
};

/// A model as a company sees it.
#[derive(Debug, Clone, QueryableByName, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "`model` is what the contract calls a provider's name for it"
)]
pub struct Model {
    /// Which.
    #[diesel(sql_type = sql_types::Uuid)]
    pub id: ModelId,
    /// What requests call it, alone or as `provider/name`.
    #[diesel(sql_type = sql_types::Text)]
    pub name: ModelName,
    /// Whose interface it is reached by.
    #[diesel(sql_type = sql_types::Text)]
    pub provider: ProviderName,
    /// What the provider calls it.
    #[diesel(sql_type = sql_types::Text)]
    pub model: ModelName,
    /// Further names under which the provider offers it.
    #[diesel(sql_type = sql_types::Array<sql_types::Text>)]
    pub aliases: Vec<ModelName>,
    /// What people read where a model is chosen.
    #[diesel(sql_type = sql_types::Text)]
    pub label: Label,
    /// What it makes.
    #[diesel(sql_type = sql_types::Text)]
    pub kind: ModelKind,
    /// What is to be known of it.
    #[diesel(sql_type = sql_types::Text)]
    pub description: ModelDescription,
    /// Whether it is offered in your company.
    #[diesel(sql_type = sql_types::Bool)]
    pub is_active: bool,
    /// Whether it is used where none of its kind is named.
    #[diesel(sql_type = sql_types::Bool)]
    pub is_default: bool,
    /// Whether it came with the program: then nobody changes it, and an admin may hide it.
    #[diesel(sql_type = sql_types::Bool)]
    pub is_global: bool,
    /// What it costs over time; empty if that is not known.
    #[diesel(sql_type = sql_types::Jsonb)]
    pub prices: Prices,
    /// What it takes and gives.
    #[diesel(sql_type = sql_types::Jsonb)]
    pub capabilities: Capabilities,
    /// The day from which its provider no longer offers it.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Date>)]
    pub retires_on: Option<NaiveDate>,
    /// The provider's name for the model to take instead.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub replaced_by: Option<ModelName>,
    /// The key of your company that serves it, where one was named.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    pub provider_key_id: Option<ProviderKeyId>,
    /// Where prices and abilities were read.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub source: Option<String>,
    /// When they were read.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Date>)]
    pub checked_on: Option<NaiveDate>,
    /// When it was added.
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// The last write to it, to the company's choice about it, or to the default of its kind.
    #[serde(skip)]
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub revision: DateTime<Utc>,
}

/// Which models a list is to hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only those that make this.
    pub kind: Option<ModelKind>,
    /// Only those of this provider.
    pub provider: Option<ProviderName>,
    /// Also those that are hidden.
    pub with_hidden: bool,
}

/// The last row of a page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Place(ProviderName, ModelName, ModelId);

/// The models of a company by provider and name.
pub async fn list(
    conn: &mut Connection,
    company: CompanyId,
    filter: Filter,
    after: Option<Place>,
    limit: Limit,
) -> QueryResult<Page<Model, Place>> {
    let after = after.map_or((None, None, None), |Place(provider, name, id)| {
        (Some(provider), Some(name), Some(id))
    });
    let sql = concat!(
        include_str!("models/visible.sql"),
        include_str!("models/list.sql")
    );
    let rows = diesel::sql_query(sql)
        .bind::<sql_types::Uuid, _>(company)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(filter.kind)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(filter.provider)
        .bind::<sql_types::Bool, _>(filter.with_hidden)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(after.0)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(after.1)
        .bind::<sql_types::Nullable<sql_types::Uuid>, _>(after.2)
        .bind::<sql_types::BigInt, _>(limit.rows() + 1)
        .prepared()
        .load(conn)
        .await?;
    Ok(Page::from_surplus(rows, limit, |model: &Model| {
        Place(model.provider, model.name.clone(), model.id)
    }))
}

/// A model that this company may see, hidden or not.
pub async fn find(
    conn: &mut Connection,
    company: CompanyId,
    id: ModelId,
) -> QueryResult<Option<Model>> {
    let sql = concat!(
        include_str!("models/visible.sql"),
        "SELECT * FROM visible WHERE id = $2"
    );
    diesel::sql_query(sql)
        .bind::<sql_types::Uuid, _>(company)
        .bind::<sql_types::Uuid, _>(id)
        .prepared()
        .get_result(conn)
        .await
        .optional()
}
