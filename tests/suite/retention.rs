//! What grows is removed once it is old enough, and nothing else.

use db::{
    jobs::NewJob,
    retention::{Old, Pace},
};
use domain::{retention::ApplyRetention, users::CompanyId};
use serde_json::{Value, json};
use tests::support::{App, Client};

const PATH: &str = "/api/retention";

/// Goes on so many times.
struct Times(usize);

impl Pace for Times {
    async fn goes_on(&mut self) -> bool {
        self.0 -= 1;
        self.0 > 0
    }
}

/// A run of two rows that is over; its id.
async fn run(app: &App, client: &Client) -> String {
    let prompt = json!({"title": "Tried", "promptText": "[[mock: echo]] {{a}}"});
    let prompt = client
        .post("/api/prompts", &prompt)
        .await
        .expect(201)
        .json();
    let rows = json!([{"a": uuid::Uuid::now_v7()}, {"a": uuid::Uuid::now_v7()}]).to_string();
    let file = rows.as_bytes();
    let data = client.upload("/api/datasets", "a.json", file, &[]).await;
    let data = data.expect(201).json();
    let body =
        json!({"promptId": prompt["id"], "datasetId": data["id"], "modelIds": ["mock/text-1"]});
    let run = client.post("/api/runs", &body).await.expect(201).json();
    app.drain().await;
    let id = run["id"].as_str().expect("an id").to_owned();
    assert_eq!(found(client, &id).await["status"], "completed");
    id
}

async fn found(client: &Client, run: &str) -> Value {
    let path = format!("/api/runs/{run}");
    client.get(&path).await.expect(200).json()
}

/// As if so many days had gone by since a run was over.
async fn aged(app: &App, run: &str, days: i32) {
    let sql =
        format!("UPDATE runs SET finished_at = now() - interval '{days} days' WHERE id = '{run}'");
    app.database().run(&sql).await;
}

async fn apply(app: &App) {
    let mut conn = app.database().connect().await;
    let job = NewJob::new(&ApplyRetention {});
    db::jobs::enqueue(&mut conn, &[job]).await.expect("a job");
    app.drain().await;
}

async fn kept(app: &App, run: &str) -> (i64, i64) {
    let of = |table: &str| format!("{table} WHERE run_id = '{run}'");
    let events = app.count(&of("run_events")).await;
    (events, app.count(&of("attempts")).await)
}

async fn company(app: &App, of: &Client) -> CompanyId {
    let (mut conn, user) = (app.database().connect().await, of.id());
    let row: Company = diesel_async::RunQueryDsl::get_result(
        diesel::sql_query(format!(
            "SELECT company_id AS id FROM users WHERE id = '{user}'"
        )),
        &mut conn,
    )
    .await
    .expect("a company");
    CompanyId(row.id)
}

#[derive(diesel::QueryableByName)]
struct Company {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: uuid::Uuid,
}

#[tokio::test]
async fn admins_say_how_long_what_is_kept_and_hear_every_fault_at_once() {
    let app = App::start().await;
    let (ada, other) = (app.register().await, app.register().await);
    let nothing =
        json!({"events": null, "attempts": null, "responses": null, "audit": null, "jobs": null});
    assert_eq!(ada.get(PATH).await.expect(200).json(), nothing);
    let said = ada.patch(PATH, &json!({"events": 30, "audit": 400})).await;
    let said = said.expect(200).json();
    assert_eq!(
        (&said["events"], &said["audit"], &said["jobs"]),
        (&json!(30), &json!(400), &json!(null))
    );
    let faulty = ada
        .patch(
            PATH,
            &json!({"audit": 89, "jobs": 0, "responses": 40000, "events": 7}),
        )
        .await;
    faulty.expect(422);
    let mut fields = faulty.faulty_fields();
    fields.sort();
    assert_eq!(fields, ["audit", "jobs", "responses"]);
    assert_eq!(ada.get(PATH).await.expect(200).json(), said);
    let taken_back = ada
        .patch(PATH, &json!({"events": null}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&taken_back["events"], &taken_back["audit"]),
        (&json!(null), &json!(400))
    );
    assert_eq!(other.get(PATH).await.expect(200).json(), nothing);
    let lead = app.member(&ada, "lead").await;
    lead.get(PATH).await.expect_problem(403, "forbidden");
    lead.patch(PATH, &json!({"jobs": 3}))
        .await
        .expect_problem(403, "forbidden");
    let entries = ada
        .get("/api/audit?entity=retention")
        .await
        .expect(200)
        .json();
    let told: Vec<_> = entries
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| &entry["action"])
        .collect();
    assert_eq!(told, ["deleted", "created", "created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_goes_and_what_it_added_up_to_stays() {
    let app = App::start().await;
    let (ada, other) = (app.register().await, app.register().await);
    let (old, young, theirs) = (
        run(&app, &ada).await,
        run(&app, &ada).await,
        run(&app, &other).await,
    );
    for run in [&old, &theirs] {
        aged(&app, run, 3).await;
    }
    app.database()
        .run("UPDATE jobs SET finished_at = now() - interval '3 days' WHERE state = 'done'; UPDATE responses SET created_at = now() - interval '3 days'; UPDATE sign_in_events SET created_at = now() - interval '3 days'")
        .await;
    let (before, all) = (found(&ada, &old).await, kept(&app, &young).await);
    let said = json!({"events": 2, "attempts": 2, "responses": 2, "jobs": 2});
    ada.patch(PATH, &said).await.expect(200);
    apply(&app).await;
    assert_eq!(kept(&app, &old).await, (0, 0));
    assert_eq!(
        (kept(&app, &young).await, kept(&app, &theirs).await),
        (all, all)
    );
    assert!(all.0 > 2 && all.1 == 2, "{all:?}");
    assert_eq!(found(&ada, &old).await, before);
    let (mine, others) = (company(&app, &ada).await.0, company(&app, &other).await.0);
    for table in ["jobs", "responses", "sign_in_events"] {
        let old = |company| format!("{table} WHERE company_id = '{company}'");
        assert_eq!(app.count(&old(mine)).await, 0, "{table}");
        assert!(app.count(&old(others)).await > 0, "{table}");
    }
    // Whoever follows it hears its end, and what happens from now on.
    let events = format!("/api/runs/{old}/events");
    ada.get(&events).await.expect(204);
    let cells = ada
        .get(&format!("/api/runs/{old}/cells"))
        .await
        .expect(200)
        .json();
    let cell = cells[0]["id"].as_str().expect("an id");
    let again = format!("/api/runs/{old}/cells/{cell}/rerun");
    let last = format!("generate_series(1, (SELECT last_event FROM runs WHERE id = '{old}'))");
    let last = app.count(&last).await;
    ada.post_empty(&again).await.expect(202);
    app.drain().await;
    let heard = ada.get(&events).await.expect(200).text();
    let first = heard.lines().find_map(|line| line.strip_prefix("id: "));
    assert_eq!(first, Some((last + 1).to_string().as_str()), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_not_over_keeps_everything_however_old_it_is() {
    let app = App::start().await;
    let ada = app.register().await;
    let run = run(&app, &ada).await;
    let all = kept(&app, &run).await;
    app.database()
        .run("UPDATE runs SET finished_at = NULL, created_at = now() - interval '1 year'; UPDATE run_events SET created_at = now() - interval '1 year'")
        .await;
    ada.patch(PATH, &json!({"events": 1, "attempts": 1}))
        .await
        .expect(200);
    apply(&app).await;
    assert_eq!(kept(&app, &run).await, all);
}

#[tokio::test]
async fn much_is_removed_in_many_small_transactions_and_goes_on_where_it_stopped() {
    let app = App::start().await;
    let ada = app.register().await;
    let company = company(&app, &ada).await;
    let rows = format!(
        "INSERT INTO jobs (id, kind, company_id, fair_key, args, max_attempts, state, finished_at)
         SELECT gen_random_uuid(), 'stats.fold', '{}', gen_random_uuid(), '{{}}', 1,
             CASE WHEN n <= 2500 THEN 'done' ELSE 'dead' END, now() - interval '2 days' FROM generate_series(1, 2600) n",
        company.0
    );
    app.database().run(&rows).await;
    let mut conn = app.database().connect().await;
    let before = chrono::Utc::now() - chrono::TimeDelta::days(1);
    let old = Old { company, before };
    let mut some = Times(2);
    let removed = db::retention::jobs(&mut conn, old, &mut some)
        .await
        .expect("rows");
    assert_eq!((removed, some.0), (2000, 0));
    let mut rest = Times(10);
    let removed = db::retention::jobs(&mut conn, old, &mut rest)
        .await
        .expect("rows");
    assert_eq!((removed, rest.0), (500, 10));
    assert_eq!(app.count("jobs WHERE state = 'dead'").await, 100);
}

#[tokio::test]
async fn the_audit_log_is_cut_from_its_beginning_and_still_proves_itself() {
    let app = App::start().await;
    let ada = app.register().await;
    let company = company(&app, &ada).await;
    for days in 1..=1100 {
        let rules = [(domain::retention::Kept::Jobs, Some(days))];
        let mut conn = app.database().connect().await;
        db::retention::set(&mut conn, company, &rules)
            .await
            .expect("a rule");
    }
    let whole = app.count("audit_entries").await;
    assert!(whole > 1100);
    let mut conn = app.database().connect().await;
    let old = Old {
        company,
        before: chrono::Utc::now() + chrono::TimeDelta::days(1),
    };
    let removed = db::retention::audit(&mut conn, old, &mut Times(10))
        .await
        .expect("entries");
    assert_eq!(i64::try_from(removed), Ok(whole));
    // Each of the two cuts has entered itself.
    assert_eq!(app.count("audit_entries").await, 2);
    let verdict = ada.get("/api/audit/verify").await.expect(200).json();
    assert_eq!(verdict["broken"], json!(null), "{verdict}");
    assert_eq!(
        db::retention::audit(
            &mut conn,
            Old {
                before: chrono::DateTime::UNIX_EPOCH,
                ..old
            },
            &mut Times(10)
        )
        .await,
        Ok(0)
    );
}

#[tokio::test]
async fn it_is_applied_once_a_day_and_not_before_its_hour() {
    let app = App::start().await;
    let mut conn = app.database().connect().await;
    app.database()
        .run("UPDATE retention_state SET applied_on = applied_on - 1")
        .await;
    assert_eq!(db::retention::is_due(&mut conn, 0).await, Ok(true));
    assert_eq!(db::retention::is_due(&mut conn, 24).await, Ok(false));
    apply(&app).await;
    assert_eq!(db::retention::is_due(&mut conn, 0).await, Ok(false));
}
