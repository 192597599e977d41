//! Walking from something to what it comes from and to what became of it. The edges are the foreign
//! keys that there are anyway: nothing is written for the graph, so nothing of it can be out of date.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::LazyLock,
};

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    lineage::{Direction, Edge, LineageKind, Relation, Vertex},
    users::Role,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{Connection, prepared::Prepare as _};

/// Something in the graph, as it is shown.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, QueryableByName, Serialize, utoipa::ToSchema,
)]
pub struct Node {
    /// What it is.
    #[diesel(sql_type = sql_types::Text)]
    pub kind: LineageKind,
    /// Its id.
    #[diesel(sql_type = sql_types::Uuid)]
    pub id: Uuid,
    /// What it is called.
    #[diesel(sql_type = sql_types::Text)]
    pub title: String,
    /// When it came to be here.
    #[diesel(sql_type = sql_types::Timestamptz)]
    pub at: DateTime<Utc>,
}

/// A part of the graph.
#[derive(Debug, Default)]
pub struct Walked {
    /// What was met, the root included.
    pub nodes: Vec<Node>,
    /// What became of what.
    pub edges: BTreeSet<Edge>,
    /// Whether there is more than was asked for.
    pub is_truncated: bool,
}

/// An edge, and what the walk meets at its other end.
#[derive(QueryableByName)]
struct Way {
    #[diesel(sql_type = sql_types::Text)]
    from_kind: LineageKind,
    #[diesel(sql_type = sql_types::Uuid)]
    from_id: Uuid,
    #[diesel(sql_type = sql_types::Text)]
    to_kind: LineageKind,
    #[diesel(sql_type = sql_types::Uuid)]
    to_id: Uuid,
    #[diesel(sql_type = sql_types::Text)]
    relation: Relation,
    #[diesel(embed)]
    node: Node,
    #[diesel(sql_type = sql_types::BigInt)]
    candidates: i64,
}

impl Way {
    fn edge(&self) -> Edge {
        Edge {
            from: Vertex {
                kind: self.from_kind,
                id: self.from_id,
            },
            to: Vertex {
                kind: self.to_kind,
                id: self.to_id,
            },
            relation: self.relation,
        }
    }
}

/// The most edges of a level that are looked at, newest first.
const CANDIDATES: i64 = 5_000;

/// Walks from a vertex. What the viewer may not see is not met, and nothing is reached through it:
/// `NotFound` if that is so of the root. At most so many nodes are met in each direction, the newest
/// of a level first.
pub async fn walk(
    conn: &mut Connection,
    viewer: &Viewer,
    root: Vertex,
    direction: Direction,
    most: usize,
) -> QueryResult<Walked> {
    let mut walked = Walked {
        nodes: vec![find(conn, viewer, root).await?],
        ..Walked::default()
    };
    let mut met = HashSet::from([root]);
    for way in [Direction::Up, Direction::Down] {
        if direction == way || direction == Direction::Both {
            let mut frontier = vec![root];
            let limit = met.len() + most;
            while !frontier.is_empty() {
                frontier =
                    step(conn, viewer, way, frontier, (limit, &mut met), &mut walked).await?;
            }
        }
    }
    let is_met = |edge: &Edge| met.contains(&edge.from) && met.contains(&edge.to);
    walked.edges.retain(is_met);
    walked
        .nodes
        .sort_by_key(|node| (node.kind, node.at, node.id));
    Ok(walked)
}

/// One step from all of these: what was not met before.
async fn step(
    conn: &mut Connection,
    viewer: &Viewer,
    way: Direction,
    frontier: Vec<Vertex>,
    (limit, met): (usize, &mut HashSet<Vertex>),
    walked: &mut Walked,
) -> QueryResult<Vec<Vertex>> {
    let mut kinds: BTreeMap<LineageKind, Vec<Uuid>> = BTreeMap::new();
    for vertex in frontier {
        kinds.entry(vertex.kind).or_default().push(vertex.id);
    }
    let mut next = Vec::new();
    for (kind, ids) in kinds {
        for found in ways(conn, viewer, way, kind, &ids).await? {
            walked.is_truncated |= found.candidates >= CANDIDATES;
            walked.edges.insert(found.edge());
            let (kind, id) = (found.node.kind, found.node.id);
            let vertex = Vertex { kind, id };
            if met.contains(&vertex) {
                continue;
            }
            if met.len() >= limit {
                walked.is_truncated = true;
                continue;
            }
            met.insert(vertex);
            next.push(vertex);
            walked.nodes.push(found.node);
        }
    }
    Ok(next)
}

/// What a kind and an id stand for, if the viewer may see it.
fn nodes(kind: &str, id: &str) -> String {
    let sql = include_str!("lineage/nodes.sql");
    sql.replace("{kind}", kind).replace("{id}", id)
}

/// The statement that finds ways from vertices of a kind to the other end of their edges.
fn statement(here: &str, there: &str) -> String {
    let node = nodes(
        &format!("candidates.{there}_kind"),
        &format!("candidates.{there}_id"),
    );
    let edges = include_str!("lineage/edges.sql");
    format!(
        "WITH candidates AS MATERIALIZED (
            {edges} WHERE {here}_kind = $1 AND {here}_id = ANY ($2) AND company_id = $3
            ORDER BY {there}_id DESC LIMIT {CANDIDATES}
        )
        SELECT candidates.*, node.*, (SELECT count(*) FROM candidates) AS candidates
        FROM candidates CROSS JOIN LATERAL ({node}) AS node
        ORDER BY node.at DESC, node.id DESC"
    )
}

static UP: LazyLock<String> = LazyLock::new(|| statement("to", "from"));
static DOWN: LazyLock<String> = LazyLock::new(|| statement("from", "to"));
static FIND: LazyLock<String> = LazyLock::new(|| nodes("$1", "$2"));

async fn ways(
    conn: &mut Connection,
    viewer: &Viewer,
    way: Direction,
    kind: LineageKind,
    ids: &[Uuid],
) -> QueryResult<Vec<Way>> {
    let statement = if way == Direction::Up { &UP } else { &DOWN };
    diesel::sql_query(statement.as_str())
        .bind::<sql_types::Text, _>(kind)
        .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
        .bind::<sql_types::Uuid, _>(viewer.company_id)
        .bind::<sql_types::Uuid, _>(viewer.user_id)
        .bind::<sql_types::Bool, _>(viewer.role >= Role::Lead)
        .prepared()
        .load(conn)
        .await
}

async fn find(conn: &mut Connection, viewer: &Viewer, vertex: Vertex) -> QueryResult<Node> {
    diesel::sql_query(FIND.as_str())
        .bind::<sql_types::Text, _>(vertex.kind)
        .bind::<sql_types::Uuid, _>(vertex.id)
        .bind::<sql_types::Uuid, _>(viewer.company_id)
        .bind::<sql_types::Uuid, _>(viewer.user_id)
        .bind::<sql_types::Bool, _>(viewer.role >= Role::Lead)
        .prepared()
        .get_result(conn)
        .await
}
