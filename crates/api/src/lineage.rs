//! Where something comes from, and what became of it.

use actix_web::{get, web};
use db::lineage::Node;
use deserr::Deserr;
use domain::lineage::{Direction, Edge, LineageKind, Vertex};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult},
    extract::{Faults, Paths, Query},
};

/// The most nodes in each direction.
const MOST: usize = 500;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(walk);
}

/// How the graph is walked.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LineageQuery {
    /// To what it comes from (`up`), to what became of it (`down`), or `both`, if absent.
    #[param(inline)]
    #[deserr(default)]
    direction: Option<Direction>,
}

/// A part of the graph.
#[derive(Debug, Serialize, ToSchema)]
struct LineageView {
    /// Where the walk began.
    root: Vertex,
    /// All that was met, by kind and age: at most 500 in each direction.
    nodes: Vec<Node>,
    /// What became of what: of two nodes that were met.
    edges: Vec<Edge>,
    /// Whether there is more.
    truncated: bool,
}

/// An id of a node.
struct NodeId(Uuid);

impl std::str::FromStr for NodeId {
    type Err = domain::Fault;
    fn from_str(text: &str) -> Result<Self, domain::Fault> {
        let id = text.parse().map(Self);
        id.map_err(|_| domain::Fault("must be a UUID".into()))
    }
}

/// Where an issue, request, template, prompt, version, run or output comes from, and what became of it, as far
/// as you may see it.
#[utoipa::path(tag = "Lineage",
    params(("kind" = LineageKind, Path, description = "What it is"), ("id" = Uuid, Path, description = "Which"), LineageQuery),
    responses((status = 200, body = LineageView)))]
#[get("/lineage/{kind}/{id}")]
async fn walk(
    context: Context<Developer>,
    Paths(kind, NodeId(id)): Paths<LineageKind, NodeId>,
    Query(query): Query<LineageQuery>,
) -> ApiResult<web::Json<LineageView>> {
    let root = Vertex { kind, id };
    let direction = query.direction.unwrap_or(Direction::Both);
    let mut conn = context.db().await?;
    let walked = db::lineage::walk(&mut conn, &context.who, root, direction, MOST).await;
    let walked = walked.map_err(|cause| match cause {
        diesel::result::Error::NotFound => ApiError::not_found(kind.as_str()),
        other => other.into(),
    })?;
    Ok(web::Json(LineageView {
        root,
        nodes: walked.nodes,
        edges: walked.edges.into_iter().collect(),
        truncated: walked.is_truncated,
    }))
}
