//! What may be said of a model when it is added or changed.

use db::models::{ModelChanges, NewModel, RowChanges};
use deserr::Deserr;
use domain::{
    models::{
        Capabilities, Label, ModelDescription, ModelKind, ModelName, Prices, ProviderKeyId,
        ProviderName,
    },
    page::Day,
};
use utoipa::ToSchema;

use crate::{
    error::FieldFault,
    extract::{Faults, Member},
};

/// A model to be added.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase, validate = agrees -> Faults)]
#[schema(rename_all = "camelCase")]
pub struct ModelBody {
    provider: ProviderName,
    /// What the provider calls it.
    model: ModelName,
    /// What requests are to call it; as the provider does, if absent.
    #[deserr(default)]
    name: Option<ModelName>,
    /// What people read.
    label: Label,
    kind: ModelKind,
    #[deserr(default)]
    description: Option<ModelDescription>,
    #[deserr(default)]
    #[schema(value_type = Option<Capabilities>)]
    capabilities: Capabilities,
    /// Without any, what it costs is unknown; a model that is free has a price of 0.
    #[deserr(default)]
    #[schema(value_type = Option<Prices>)]
    prices: Prices,
    /// `true` if absent.
    #[deserr(default = true)]
    #[schema(value_type = Option<bool>)]
    is_active: bool,
    #[deserr(default)]
    #[schema(value_type = Option<bool>)]
    is_default: bool,
    #[deserr(default)]
    #[schema(value_type = Option<chrono::NaiveDate>)]
    retires_on: Option<Day>,
    #[deserr(default)]
    replaced_by: Option<ModelName>,
    /// A key of your company that serves this model; without one, the company's default key of the
    /// provider, else the installation's.
    #[deserr(default)]
    provider_key_id: Option<ProviderKeyId>,
}

/// A hidden model is no default.
fn agrees(body: ModelBody, _: deserr::ValuePointerRef<'_>) -> Result<ModelBody, Faults> {
    if body.is_active || !body.is_default {
        return Ok(body);
    }
    Err(Faults::broken_rules(vec![FieldFault {
        field: "isDefault".into(),
        message: "needs a model that is offered: set `isActive` as well".into(),
    }]))
}

impl From<ModelBody> for NewModel {
    fn from(body: ModelBody) -> Self {
        Self {
            provider: body.provider,
            name: body.name.unwrap_or_else(|| body.model.clone()),
            model: body.model,
            label: body.label,
            kind: body.kind,
            description: body.description,
            capabilities: body.capabilities,
            prices: body.prices,
            is_active: body.is_active,
            is_default: body.is_default,
            retires_on: body.retires_on.map(|day| day.0),
            replaced_by: body.replaced_by,
            provider_key_id: body.provider_key_id,
        }
    }
}

/// What is changed of a model.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct ModelUpdate {
    #[deserr(default)]
    name: Option<ModelName>,
    #[deserr(default)]
    label: Option<Label>,
    #[deserr(default)]
    description: Option<ModelDescription>,
    /// All of them: what is left out is as for a model that says nothing of it.
    #[deserr(default)]
    capabilities: Option<Capabilities>,
    /// The whole list.
    #[deserr(default)]
    prices: Option<Prices>,
    /// Whether it is offered in your company. A default that is hidden is none any more.
    #[deserr(default)]
    is_active: Option<bool>,
    /// `true` makes it your company's default of its kind in the place of another; `false` leaves
    /// that to the program's own default.
    #[deserr(default)]
    is_default: Option<bool>,
    /// `null` takes it away.
    #[deserr(default)]
    #[schema(value_type = Option<chrono::NaiveDate>)]
    retires_on: Member<Day>,
    /// `null` takes it away.
    #[deserr(default)]
    #[schema(value_type = Option<ModelName>)]
    replaced_by: Member<ModelName>,
    /// `null` takes it away.
    #[deserr(default)]
    #[schema(value_type = Option<ProviderKeyId>)]
    provider_key_id: Member<ProviderKeyId>,
}

impl From<ModelUpdate> for ModelChanges {
    fn from(body: ModelUpdate) -> Self {
        Self {
            row: RowChanges {
                name: body.name,
                label: body.label,
                description: body.description,
                capabilities: body.capabilities,
                prices: body.prices,
                retires_on: body.retires_on.or_remove().map(|day| day.map(|day| day.0)),
                replaced_by: body.replaced_by.or_remove(),
                provider_key_id: body.provider_key_id.or_remove(),
            },
            is_active: body.is_active,
            is_default: body.is_default,
        }
    }
}
