//! How many requests there are, of those a viewer sees: by status and by vendor. Each count reads an
//! index and no row.

use diesel::{dsl::count_star, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    requests::{RequestStatus, Vendor},
};
use serde::Serialize;

use super::list::visible_to;
use crate::{Connection, schema::requests};

/// The most vendors that are told apart.
const VENDORS: i64 = 100;

/// How many requests there are.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// All.
    pub total: i64,
    /// By status, in the order of the usual way; also those without any.
    pub by_status: Vec<StatusCount>,
    /// By vendor, most requests first; the first hundred.
    pub by_vendor: Vec<VendorCount>,
}

/// How many have come so far.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct StatusCount {
    /// So far.
    pub status: RequestStatus,
    /// How many.
    pub count: i64,
}

/// How many concern a vendor.
#[derive(Debug, Clone, Queryable, Serialize, utoipa::ToSchema)]
pub struct VendorCount {
    /// Whose product.
    pub vendor: Vendor,
    /// How many.
    pub count: i64,
}

/// Counts the requests that a viewer sees.
pub async fn stats(conn: &mut Connection, viewer: &Viewer) -> QueryResult<Stats> {
    conn.build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |conn| {
            let counts: Vec<(RequestStatus, i64)> = requests::table
                .filter(visible_to(viewer))
                .group_by(requests::status)
                .select((requests::status, count_star()))
                .load(conn)
                .await?;
            let by_vendor = requests::table
                .filter(visible_to(viewer))
                .group_by(requests::vendor)
                .select((requests::vendor, count_star()))
                .order((count_star().desc(), requests::vendor))
                .limit(VENDORS)
                .load(conn)
                .await?;
            Ok(Stats {
                total: counts.iter().map(|(_, count)| count).sum(),
                by_status: every_status(&counts),
                by_vendor,
            })
        })
        .await
}

fn every_status(counts: &[(RequestStatus, i64)]) -> Vec<StatusCount> {
    let count_of = |status: &RequestStatus| {
        let found = counts.iter().find(|(counted, _)| counted == status);
        found.map_or(0, |(_, count)| *count)
    };
    let row = |status: &RequestStatus| StatusCount {
        status: *status,
        count: count_of(status),
    };
    RequestStatus::ALL.iter().map(row).collect()
}
