//! A company with many requests and comments, written past the API.

use db::{
    Connection,
    schema::{request_searches, requests, users},
};
use diesel::{ExpressionMethods as _, QueryDsl as _};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use domain::{
    auth::Viewer,
    prompts::grams,
    requests::{RequestId, RequestPriority, RequestStatus},
    users::{Role, UserId},
};
use serde_json::{Value, json};

use crate::{
    bench::stand::{Person, Stand},
    support::{app::PASSWORD, make},
};

const VENDORS: [&str; 6] = ["FANUC", "Siemens", "ABB", "Yaskawa", "KUKA", "Other"];

const THINGS: [&str; 20] = [
    "gripper",
    "conveyor",
    "welding torch",
    "feeder",
    "camera",
    "light curtain",
    "turntable",
    "palletiser",
    "spindle",
    "gearbox",
    "teach pendant",
    "safety fence",
    "vacuum cup",
    "linear axis",
    "cable chain",
    "controller",
    "screwdriver",
    "paint nozzle",
    "scanner",
    "clamp",
];

/// A company and its people.
pub struct Desk {
    /// Its admin.
    pub admin: Person,
    /// One of the developers.
    pub developer: Person,
    /// One of the requesters.
    pub requester: Person,
    /// All developers, the one first.
    pub developers: Vec<UserId>,
    /// All requesters, the one first.
    pub requesters: Vec<UserId>,
    viewer: Viewer,
}

impl Desk {
    /// A company with so many developers and requesters.
    pub async fn open(stand: &Stand, people: usize) -> anyhow::Result<Self> {
        let admin = stand.register().await?;
        let mut ones = Vec::new();
        for role in ["developer", "requester"] {
            let mut bodies = Vec::new();
            for _ in 0..people {
                let body = make::member(role);
                admin.post("/api/users", &body).await?;
                bodies.push(body);
            }
            ones.push(sign_in(stand, &bodies[0]).await?);
        }
        let viewer = stand.viewer(&admin).await?;
        let (Some(requester), Some(developer)) = (ones.pop(), ones.pop()) else {
            anyhow::bail!("nobody signed in");
        };
        Ok(Self {
            developers: ids(stand, &viewer, Role::Developer).await?,
            requesters: ids(stand, &viewer, Role::Requester).await?,
            developer,
            requester,
            admin,
            viewer,
        })
    }

    /// Fills empty tables.
    pub async fn fill(
        &self,
        conn: &mut Connection,
        size: usize,
        comments: usize,
    ) -> anyhow::Result<()> {
        conn.batch_execute("DROP INDEX request_searches_grams")
            .await?;
        for from in (1..=size).step_by(500) {
            let numbers = from..(from + 500).min(size + 1);
            self.insert(conn, numbers, i32::try_from(comments)?).await?;
        }
        conn.batch_execute(&format!(
            "SET maintenance_work_mem = '512MB';
             CREATE INDEX request_searches_grams ON request_searches USING gin (grams);
             INSERT INTO request_comments (id, company_id, request_id, number, author_id, author_name, author_role, content)
                 SELECT gen_random_uuid(), company_id, id, n, created_by, created_by_name, 'requester',
                        'Comment ' || n || ': ' || repeat('the arm still stops where it should not. ', 5)
                 FROM requests, generate_series(1, {comments}) AS n;
             INSERT INTO request_activity (id, company_id, request_id, number, user_id, user_name, action, details)
                 SELECT gen_random_uuid(), company_id, id, 1, created_by, created_by_name, 'created', '{{}}' FROM requests"
        ))
        .await?;
        // Not within a transaction, which several statements at once would be.
        conn.batch_execute("VACUUM ANALYZE").await?;
        Ok(())
    }

    async fn insert(
        &self,
        conn: &mut Connection,
        numbers: std::ops::Range<usize>,
        comments: i32,
    ) -> anyhow::Result<()> {
        let (mut rows, mut searches) = (Vec::new(), Vec::new());
        for number in numbers {
            let (title, vendor, description) = texts(number);
            let id = RequestId::new();
            let status = status(number);
            let is_assigned = !matches!(
                status,
                RequestStatus::Submitted
                    | RequestStatus::FeasibilityReview
                    | RequestStatus::ResourceAllocation
                    | RequestStatus::Denied
            );
            let developer = self.developers[number / 7 % self.developers.len()];
            let folded = grams::fold(&format!("{title}\n{vendor}\n{description}"));
            searches.push((
                request_searches::request_id.eq(id),
                request_searches::company_id.eq(self.viewer.company_id),
                request_searches::grams.eq(grams::of_text(self.viewer.company_id, &folded)),
                request_searches::folded_text.eq(folded),
            ));
            rows.push((
                requests::id.eq(id),
                requests::company_id.eq(self.viewer.company_id),
                requests::number.eq(i32::try_from(number)?),
                requests::title.eq(title),
                requests::description.eq(description),
                requests::vendor.eq(vendor),
                requests::status.eq(status),
                requests::priority.eq(RequestPriority::ALL[number / 11 % 3]),
                requests::created_by.eq(self.requesters[number % self.requesters.len()]),
                requests::created_by_name.eq("Grace Hopper"),
                requests::assigned_to.eq(is_assigned.then_some(developer)),
                requests::assigned_to_name.eq(is_assigned.then_some("Grace Hopper")),
                requests::comment_count.eq(comments),
                requests::comment_bytes.eq(i64::from(comments) * 220),
            ));
        }
        diesel::insert_into(requests::table)
            .values(rows)
            .execute(conn)
            .await?;
        diesel::insert_into(request_searches::table)
            .values(searches)
            .execute(conn)
            .await?;
        Ok(())
    }
}

/// Old ones are over, of the newest two in a hundred are still under way.
fn status(number: usize) -> RequestStatus {
    match number % 100 {
        0 => RequestStatus::ALL[number / 100 % 9],
        1 => RequestStatus::EngineeringReview,
        2..20 => RequestStatus::Denied,
        20..30 => RequestStatus::Completed,
        _ => RequestStatus::Accepted,
    }
}

/// Title, vendor and description.
fn texts(number: usize) -> (String, &'static str, String) {
    let thing = |place: usize| THINGS[(number * 7 + place * place * 5) % THINGS.len()];
    let vendor = VENDORS[number / 3 % VENDORS.len()];
    let words: Vec<String> = (1..12)
        .map(|place| format!("{} {}", thing(place), number * 31 % (900 + place)))
        .collect();
    let description = format!("Where the arm meets it, look at {}.", words.join(", "));
    let title = format!("Cell {number} of the {}", thing(0));
    (title, vendor, description)
}

async fn sign_in(stand: &Stand, body: &Value) -> anyhow::Result<Person> {
    let email = body["email"].as_str().unwrap_or_default();
    stand
        .sign_in(&json!({ "email": email, "password": PASSWORD }))
        .await
}

async fn ids(stand: &Stand, viewer: &Viewer, role: Role) -> anyhow::Result<Vec<UserId>> {
    let ids = users::table
        .filter(users::company_id.eq(viewer.company_id))
        .filter(users::role.eq(role))
        .order((users::created_at, users::id))
        .select(users::id)
        .load(&mut *stand.watch().await)
        .await?;
    Ok(ids)
}
