//! Walking from something to what it comes from and to what became of it. The edges are the foreign
//! keys that there are anyway: nothing is written for the graph, so nothing of it can be out of date.

use std::collections::{BTreeMap, BTreeSet, HashSet};

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

#[derive(QueryableByName)]
struct EdgeRow {
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
}

impl From<EdgeRow> for Edge {
    fn from(row: EdgeRow) -> Self {
        Self {
            from: Vertex {
                kind: row.from_kind,
                id: row.from_id,
            },
            to: Vertex {
                kind: row.to_kind,
                id: row.to_id,
            },
            relation: row.relation,
        }
    }
}

/// Walks from a vertex. What the viewer may not see is not met, and nothing is reached through it:
/// `NotFound` if that is so of the root. At most so many nodes are met in each direction, the newest
/// of a kind first.
pub async fn walk(
    conn: &mut Connection,
    viewer: &Viewer,
    root: Vertex,
    direction: Direction,
    most: usize,
) -> QueryResult<Walked> {
    let mut walked = Walked {
        nodes: visible(conn, viewer, root.kind, &[root.id]).await?,
        ..Walked::default()
    };
    if walked.nodes.is_empty() {
        return Err(diesel::result::Error::NotFound);
    }
    let mut met = HashSet::from([root]);
    for way in [Direction::Up, Direction::Down] {
        if direction == way || direction == Direction::Both {
            let mut frontier = vec![root];
            let room = met.len() + most;
            while !frontier.is_empty() {
                frontier =
                    step(conn, viewer, way, &frontier, (room, &mut met), &mut walked).await?;
            }
        }
    }
    walked
        .edges
        .retain(|edge| met.contains(&edge.from) && met.contains(&edge.to));
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
    frontier: &[Vertex],
    (room, met): (usize, &mut HashSet<Vertex>),
    walked: &mut Walked,
) -> QueryResult<Vec<Vertex>> {
    let mut found: BTreeMap<LineageKind, BTreeSet<Uuid>> = BTreeMap::new();
    for (kind, ids) in by_kind(frontier.iter().copied()) {
        let left = room.saturating_sub(met.len()) + 1;
        let edges = edges(conn, viewer, way, kind, &ids, left).await?;
        walked.is_truncated |= edges.len() >= left;
        for edge in edges {
            let next = if way == Direction::Up {
                edge.from
            } else {
                edge.to
            };
            walked.edges.insert(edge);
            if !met.contains(&next) {
                found.entry(next.kind).or_default().insert(next.id);
            }
        }
    }
    let mut next = Vec::new();
    for (kind, ids) in found {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        for node in visible(conn, viewer, kind, &ids).await? {
            if met.len() >= room {
                walked.is_truncated = true;
                break;
            }
            let vertex = Vertex { kind, id: node.id };
            met.insert(vertex);
            next.push(vertex);
            walked.nodes.push(node);
        }
    }
    Ok(next)
}

fn by_kind(vertices: impl Iterator<Item = Vertex>) -> BTreeMap<LineageKind, Vec<Uuid>> {
    let mut kinds: BTreeMap<LineageKind, Vec<Uuid>> = BTreeMap::new();
    for vertex in vertices {
        kinds.entry(vertex.kind).or_default().push(vertex.id);
    }
    kinds
}

async fn edges(
    conn: &mut Connection,
    viewer: &Viewer,
    way: Direction,
    kind: LineageKind,
    ids: &[Uuid],
    most: usize,
) -> QueryResult<Vec<Edge>> {
    let up = concat!(
        include_str!("lineage/edges.sql"),
        " WHERE to_kind = $1 AND to_id = ANY ($2) AND company_id = $3 ORDER BY from_id DESC LIMIT $4"
    );
    let down = concat!(
        include_str!("lineage/edges.sql"),
        " WHERE from_kind = $1 AND from_id = ANY ($2) AND company_id = $3 ORDER BY to_id DESC LIMIT $4"
    );
    let rows: Vec<EdgeRow> = diesel::sql_query(if way == Direction::Up { up } else { down })
        .bind::<sql_types::Text, _>(kind)
        .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
        .bind::<sql_types::Uuid, _>(viewer.company_id)
        .bind::<sql_types::BigInt, _>(i64::try_from(most).unwrap_or(i64::MAX))
        .prepared()
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Edge::from).collect())
}

async fn visible(
    conn: &mut Connection,
    viewer: &Viewer,
    kind: LineageKind,
    ids: &[Uuid],
) -> QueryResult<Vec<Node>> {
    diesel::sql_query(include_str!("lineage/nodes.sql"))
        .bind::<sql_types::Text, _>(kind)
        .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
        .bind::<sql_types::Uuid, _>(viewer.company_id)
        .bind::<sql_types::Uuid, _>(viewer.user_id)
        .bind::<sql_types::Bool, _>(viewer.role >= Role::Lead)
        .prepared()
        .load(conn)
        .await
}
