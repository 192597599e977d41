//! Adding, changing and removing a company's own models, and what it chooses about seeded ones.

use chrono::NaiveDate;
use diesel::{
    prelude::*,
    result::{DatabaseErrorKind, Error as DieselError},
};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::{
    audit::Actor,
    models::{
        Capabilities, Label, ModelDescription, ModelId, ModelKind, ModelName, Prices,
        ProviderKeyId, ProviderName,
    },
    revision::Expected,
    users::CompanyId,
};

use super::{Model, find};
use crate::{
    Connection,
    schema::{companies, model_choices, model_defaults, models},
};

/// A model that a company adds.
#[derive(Debug)]
pub struct NewModel {
    /// Whose interface it is reached by.
    pub provider: ProviderName,
    /// What the provider calls it.
    pub model: ModelName,
    /// What requests are to call it.
    pub name: ModelName,
    /// What people read.
    pub label: Label,
    /// What it makes.
    pub kind: ModelKind,
    /// What is to be known of it.
    pub description: Option<ModelDescription>,
    /// What it takes and gives.
    pub capabilities: Capabilities,
    /// What it costs.
    pub prices: Prices,
    /// Whether it is offered.
    pub is_active: bool,
    /// Whether it becomes the default of its kind.
    pub is_default: bool,
    /// The day from which it is gone.
    pub retires_on: Option<NaiveDate>,
    /// What to take instead.
    pub replaced_by: Option<ModelName>,
    /// The key that serves it.
    pub provider_key_id: Option<ProviderKeyId>,
}

/// What may be changed of a model; `None` leaves it. Of a seeded one only the last two.
#[derive(Debug, Default)]
pub struct ModelChanges {
    /// What is changed of the row itself.
    pub row: RowChanges,
    /// Whether it is offered in the company.
    pub is_active: Option<bool>,
    /// Whether it is the company's default of its kind.
    pub is_default: Option<bool>,
}

/// What is changed of a model that is the company's own; `None` leaves it, `Some(None)` takes it away.
#[derive(Debug, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = models)]
#[expect(
    clippy::option_option,
    reason = "diesel's own words: leave it, take it away, set it"
)]
pub struct RowChanges {
    /// What requests call it.
    pub name: Option<ModelName>,
    /// What people read.
    pub label: Option<Label>,
    /// What is to be known of it.
    pub description: Option<ModelDescription>,
    /// What it takes and gives.
    pub capabilities: Option<Capabilities>,
    /// What it costs.
    pub prices: Option<Prices>,
    /// The day from which it is gone.
    pub retires_on: Option<Option<NaiveDate>>,
    /// What to take instead.
    pub replaced_by: Option<Option<ModelName>>,
    /// The key that serves it.
    pub provider_key_id: Option<Option<ProviderKeyId>>,
}

/// Why a model was not added.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The company has that model of that provider already, or one of that name.
    #[error("there is such a model already")]
    Taken,
    /// The key is not the company's, or of another provider.
    #[error("there is no such key of that provider")]
    NoSuchKey,
    /// Postgres.
    #[error(transparent)]
    Database(DieselError),
}

impl From<DieselError> for CreateError {
    fn from(cause: DieselError) -> Self {
        let DieselError::DatabaseError(kind, report) = &cause else {
            return Self::Database(cause);
        };
        match (kind, report.constraint_name()) {
            (DatabaseErrorKind::UniqueViolation, Some("models_model_key" | "models_name_key")) => {
                Self::Taken
            }
            (DatabaseErrorKind::ForeignKeyViolation, Some("models_provider_key_fkey")) => {
                Self::NoSuchKey
            }
            _ => Self::Database(cause),
        }
    }
}

/// Why a model was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// None of that id that the company may see.
    #[error("there is no such model")]
    NotFound,
    /// It came with the program.
    #[error("a seeded model is not changed")]
    Seeded,
    /// It changed since the caller looked.
    #[error("changed in the meantime")]
    Stale,
    /// A default has to be offered.
    #[error("a hidden model is no default")]
    HiddenDefault,
    /// As when adding one.
    #[error(transparent)]
    Refused(#[from] CreateError),
}

impl From<DieselError> for UpdateError {
    fn from(cause: DieselError) -> Self {
        Self::Refused(cause.into())
    }
}

/// Why a model was not removed.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// None of that id that the company may see.
    #[error("there is no such model")]
    NotFound,
    /// It came with the program.
    #[error("a seeded model is not removed")]
    Seeded,
    /// It changed since the caller looked.
    #[error("changed in the meantime")]
    Stale,
    /// Postgres.
    #[error(transparent)]
    Database(#[from] DieselError),
}

/// Adds a model to the actor's company.
pub async fn create(
    conn: &mut Connection,
    new: NewModel,
    actor: &Actor,
) -> Result<Model, CreateError> {
    let (company, id, kind) = (actor.company_id, ModelId::new(), new.kind);
    let is_default = new.is_default;
    conn.transaction(async |conn| {
        insert(conn, company, id, new).await?;
        if is_default {
            choose_default(conn, company, kind, Some(id)).await?;
        }
        Ok(find(conn, company, id)
            .await?
            .ok_or(DieselError::NotFound)?)
    })
    .await
}

fn text_of(description: Option<&ModelDescription>) -> &str {
    description.map_or("", ModelDescription::as_str)
}

async fn insert(
    conn: &mut Connection,
    company: CompanyId,
    id: ModelId,
    new: NewModel,
) -> QueryResult<usize> {
    diesel::insert_into(models::table)
        .values((
            models::id.eq(id),
            models::company_id.eq(company),
            models::provider.eq(new.provider),
            models::model.eq(new.model),
            models::name.eq(new.name),
            models::label.eq(new.label),
            models::kind.eq(new.kind),
            models::description.eq(text_of(new.description.as_ref())),
            models::capabilities.eq(new.capabilities),
            models::prices.eq(new.prices),
            models::is_active.eq(new.is_active),
            models::retires_on.eq(new.retires_on),
            models::replaced_by.eq(new.replaced_by),
            models::provider_key_id.eq(new.provider_key_id),
        ))
        .execute(conn)
        .await
}

/// Changes a model of the actor's company, or what the company chooses about a seeded one. A
/// default that is hidden is none any more.
pub async fn update(
    conn: &mut Connection,
    id: ModelId,
    changes: ModelChanges,
    expected: &Expected,
    actor: &Actor,
) -> Result<Model, UpdateError> {
    let company = actor.company_id;
    conn.transaction(async |conn| {
        let model = locked(conn, company, id)
            .await?
            .ok_or(UpdateError::NotFound)?;
        if !expected.accepts(model.revision) {
            return Err(UpdateError::Stale);
        }
        let touches_row = changes.row != RowChanges::default();
        if model.is_global && touches_row {
            return Err(UpdateError::Seeded);
        }
        let is_active = changes.is_active.unwrap_or(model.is_active);
        if changes.is_default == Some(true) && !is_active {
            return Err(UpdateError::HiddenDefault);
        }
        if touches_row {
            diesel::update(models::table.find(id))
                .set(&changes.row)
                .execute(conn)
                .await?;
        }
        if is_active != model.is_active {
            offer(conn, company, &model, is_active).await?;
        }
        let is_default = is_active && changes.is_default.unwrap_or(model.is_default);
        if is_default != model.is_default {
            let chosen = is_default.then_some(id);
            choose_default(conn, company, model.kind, chosen).await?;
        }
        Ok(find(conn, company, id)
            .await?
            .ok_or(DieselError::NotFound)?)
    })
    .await
}

/// Removes a model of the actor's company.
pub async fn delete(
    conn: &mut Connection,
    id: ModelId,
    expected: &Expected,
    actor: &Actor,
) -> Result<(), DeleteError> {
    conn.transaction(async |conn| {
        let model = locked(conn, actor.company_id, id)
            .await?
            .ok_or(DeleteError::NotFound)?;
        if model.is_global {
            return Err(DeleteError::Seeded);
        }
        if !expected.accepts(model.revision) {
            return Err(DeleteError::Stale);
        }
        diesel::delete(models::table.find(id)).execute(conn).await?;
        Ok(())
    })
    .await
}

/// The model as it is once changes to the models of this company take turns: there are few, and a
/// default concerns all of a kind.
async fn locked(
    conn: &mut Connection,
    company: CompanyId,
    id: ModelId,
) -> QueryResult<Option<Model>> {
    companies::table
        .find(company)
        .select(companies::id)
        .for_no_key_update()
        .first::<CompanyId>(conn)
        .await?;
    find(conn, company, id).await
}

async fn offer(
    conn: &mut Connection,
    company: CompanyId,
    model: &Model,
    is_active: bool,
) -> QueryResult<usize> {
    if !model.is_global {
        return diesel::update(models::table.find(model.id))
            .set(models::is_active.eq(is_active))
            .execute(conn)
            .await;
    }
    diesel::insert_into(model_choices::table)
        .values((
            model_choices::company_id.eq(company),
            model_choices::model_id.eq(model.id),
            model_choices::is_active.eq(is_active),
        ))
        .on_conflict((model_choices::company_id, model_choices::model_id))
        .do_update()
        .set(model_choices::is_active.eq(is_active))
        .execute(conn)
        .await
}

async fn choose_default(
    conn: &mut Connection,
    company: CompanyId,
    kind: ModelKind,
    chosen: Option<ModelId>,
) -> QueryResult<usize> {
    diesel::insert_into(model_defaults::table)
        .values((
            model_defaults::company_id.eq(company),
            model_defaults::kind.eq(kind),
            model_defaults::model_id.eq(chosen),
        ))
        .on_conflict((model_defaults::company_id, model_defaults::kind))
        .do_update()
        .set(model_defaults::model_id.eq(chosen))
        .execute(conn)
        .await
}
