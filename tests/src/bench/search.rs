//! Finding passages: how many of the true nearest are found, and how long that takes beside the
//! barest statement over the same rows, through the product's own function and over HTTP.

use std::time::Instant;

use db::{
    Connection,
    documents::search::{self, Question},
    halfvec::Embedding,
    schema::sql_types::Halfvec,
};
use diesel::{QueryableByName, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    documents::{ChunkId, SearchMode},
    providers::mock,
};
use serde_json::json;
use uuid::Uuid;

use db::prepared::Prepare;

use super::{
    corpus::Writer,
    float,
    load::Company,
    quantile,
    report::Report,
    stand::{Person, Stand},
    vectors::{Space, nearness},
};

/// Passages that are asked for.
const WANTED: i64 = 10;

/// What the passages were embedded with, so that questions over HTTP find them.
const MODEL: &str = "mock/lexical-1";

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Passages of the company with many people.
    #[arg(long, default_value_t = 100_000)]
    passages: usize,
    /// Its people.
    #[arg(long, default_value_t = 50)]
    people: usize,
    /// Passages of one person that are searched through the index.
    #[arg(long, default_value_t = 40_000)]
    indexed: usize,
    /// Passages of the same person that came after the index was built.
    #[arg(long, default_value_t = 5_000)]
    later: usize,
    /// Questions of each kind.
    #[arg(long, default_value_t = 400)]
    questions: usize,
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("search");
    let mut stand = Stand::new().await?;
    stand.start_api().await?;
    let person = stand.register().await?;
    let pool = stand.pool()?;
    let mut conn = pool.get().await?;
    let mut space = Space::new(11);

    let mut company = Company::of(stand.viewer(&person).await?);
    let sizes = sizes(arguments.passages, arguments.people);
    company.fill(&mut conn, &mut space, MODEL, &sizes).await?;
    report.detail("sizes", json!(sizes));
    by_meaning(
        &mut conn,
        &mut space,
        &company,
        arguments,
        "exact",
        &mut report,
    )
    .await?;
    by_words(&mut conn, &company, arguments, &mut report).await?;
    over_http(&mut conn, &company, &person, arguments, &mut report).await?;
    drop(company);

    let mut company = Company::found(&mut conn).await?;
    company
        .fill(&mut conn, &mut space, MODEL, &[arguments.indexed])
        .await?;
    let started = Instant::now();
    db::documents::index::build(&stand.pool_config(), company.id).await?;
    report.line(
        format!("building the index over {} passages", arguments.indexed),
        format!("{:.0} s", started.elapsed().as_secs_f64()),
    );
    company
        .fill(&mut conn, &mut space, MODEL, &[arguments.later])
        .await?;
    by_meaning(
        &mut conn,
        &mut space,
        &company,
        arguments,
        "index",
        &mut report,
    )
    .await?;
    report.finish()
}

/// Unequal shares of all passages: the largest about twenty times the smallest.
fn sizes(passages: usize, people: usize) -> Vec<usize> {
    let weight = |place: usize| 20.0_f64.powf(float(place) / float(people));
    let all: f64 = (0..people).map(weight).sum();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts"
    )]
    let share = |place| (weight(place) / all * float(passages)) as usize;
    (0..people).map(share).collect()
}

/// Questions near random passages: recall, and our function beside the bare statement in turns.
async fn by_meaning(
    conn: &mut Connection,
    space: &mut Space,
    company: &Company,
    arguments: &Arguments,
    way: &'static str,
    report: &mut Report,
) -> anyhow::Result<()> {
    let documents = documents_of(conn, company).await?;
    let (mut ours, mut bare, mut found) = (Vec::new(), Vec::new(), 0);
    let mut plan = Vec::new();
    for number in 0..arguments.questions {
        let about = &company.passages[space.choose(company.passages.len())];
        let viewer = &company.owners[about.owner];
        let vector = space.question(&about.vector);
        let question = question(SearchMode::Semantic, "anything", &vector);
        let bare_of = Bare {
            viewer,
            documents: &documents[about.owner],
            vector: &vector,
        };
        let mut hits = Vec::new();
        // Whoever is first reads the rows into the processor's cache for the other.
        for turn in 0..2 {
            let started = Instant::now();
            if turn == number % 2 {
                hits = search::search(conn, viewer, &question).await?;
                ours.push(started.elapsed().as_secs_f64() * 1000.0);
            } else {
                bare_of.run(conn).await?;
                bare.push(started.elapsed().as_secs_f64() * 1000.0);
            }
        }
        let truth = nearest(company, about.owner, &vector);
        found += hits
            .iter()
            .filter(|hit| truth.contains(&hit.chunk_id))
            .count();
        if number == arguments.questions - 1 {
            plan = search::explain(conn, viewer, &question).await?;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let recall = float(found) / (float(arguments.questions) * WANTED as f64);
    report.goal(
        &format!("recall@10, {way}"),
        format!("{recall:.4}"),
        "≥ 0.98",
        recall >= 0.98,
    );
    times(report, &format!("search by meaning, {way}"), &ours);
    times(report, &format!("the bare statement, {way}"), &bare);
    let ratio = quantile(&ours, 0.95) / quantile(&bare, 0.95);
    let what = format!("p95 of the search, times the bare statement's, {way}");
    report.goal(&what, format!("{ratio:.2} ×"), "≤ 1.3 ×", ratio <= 1.3);
    report.detail(
        way,
        json!({ "recall": recall, "plan": plan, "oursMs": ours, "bareMs": bare }),
    );
    Ok(())
}

fn times(report: &mut Report, what: &str, milliseconds: &[f64]) {
    let [p50, p95] = [0.5, 0.95].map(|share| quantile(milliseconds, share));
    report.line(
        format!("{what}: p50, p95"),
        format!("{p50:.2}, {p95:.2} ms"),
    );
}

fn question<'a>(mode: SearchMode, text: &'a str, vector: &[f32]) -> Question<'a> {
    Question {
        mode,
        text,
        vectors: vec![(Embedding::from(vector), MODEL)],
        document_ids: Vec::new(),
        limit: WANTED,
        min_score: None,
    }
}

/// The true nearest of all that the owner may see.
fn nearest(company: &Company, owner: usize, vector: &[f32]) -> Vec<ChunkId> {
    let visible = company
        .passages
        .iter()
        .filter(|passage| Company::sees(owner, passage));
    let mut near: Vec<(f32, ChunkId)> = visible
        .map(|passage| (nearness(&passage.vector, vector), passage.id))
        .collect();
    near.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    near.truncate(usize::try_from(WANTED).expect("ten"));
    near.into_iter().map(|(_, id)| id).collect()
}

/// The barest statement that finds the same: it is told which documents are visible.
struct Bare<'a> {
    viewer: &'a Viewer,
    documents: &'a [Uuid],
    vector: &'a [f32],
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = sql_types::Uuid)]
    #[expect(dead_code, reason = "what is found is not looked at")]
    chunk_id: Uuid,
}

impl Bare<'_> {
    async fn run(&self, conn: &mut Connection) -> anyhow::Result<()> {
        let sql = "SELECT chunk_id FROM chunk_embeddings
                   WHERE company_id = $1 AND document_id = ANY ($2) ORDER BY embedding <=> $3 LIMIT $4";
        diesel::sql_query(sql)
            .bind::<sql_types::Uuid, _>(self.viewer.company_id)
            .bind::<sql_types::Array<sql_types::Uuid>, _>(self.documents)
            .bind::<Halfvec, _>(Embedding::from(self.vector))
            .bind::<sql_types::BigInt, _>(WANTED)
            .prepared()
            .load::<Found>(conn)
            .await?;
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Visible {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
}

/// The documents that each owner may see.
async fn documents_of(conn: &mut Connection, company: &Company) -> anyhow::Result<Vec<Vec<Uuid>>> {
    let mut all = Vec::new();
    for viewer in &company.owners {
        let visible: Vec<Visible> = diesel::sql_query(
            "SELECT id FROM documents WHERE company_id = $1 AND (owner_id = $2 OR visibility = 'company')",
        )
        .bind::<sql_types::Uuid, _>(viewer.company_id)
        .bind::<sql_types::Uuid, _>(viewer.user_id)
        .load(conn)
        .await?;
        all.push(visible.into_iter().map(|document| document.id).collect());
    }
    Ok(all)
}

/// Four words each, by words alone and by both lists.
async fn by_words(
    conn: &mut Connection,
    company: &Company,
    arguments: &Arguments,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut writer = Writer::new(21);
    for (mode, name) in [(SearchMode::Keyword, "words"), (SearchMode::Hybrid, "both")] {
        let mut taken = Vec::new();
        let mut plan = Vec::new();
        for number in 0..arguments.questions {
            let viewer = &company.owners[number % company.owners.len()];
            let text = writer.question();
            let asked = question(mode, &text, &mock::embed(&text));
            let started = Instant::now();
            search::search(conn, viewer, &asked).await?;
            taken.push(started.elapsed().as_secs_f64() * 1000.0);
            if number == arguments.questions - 1 {
                plan = search::explain(conn, viewer, &asked).await?;
            }
        }
        let p95 = quantile(&taken, 0.95);
        times(report, &format!("search by {name}"), &taken);
        report.goal(
            &format!("p95 of search by {name}"),
            format!("{p95:.2} ms"),
            "< 50 ms",
            p95 < 50.0,
        );
        report.detail(name, json!({ "ms": taken, "plan": plan }));
    }
    Ok(())
}

/// The same questions through our function and over HTTP, in turns.
async fn over_http(
    conn: &mut Connection,
    company: &Company,
    person: &Person,
    arguments: &Arguments,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (mut function, mut http, mut embedding) = (Vec::new(), Vec::new(), Vec::new());
    let mut writer = Writer::new(22);
    for _ in 0..arguments.questions {
        let text = writer.question();
        let started = Instant::now();
        let vector = mock::embed(&text);
        embedding.push(started.elapsed().as_secs_f64() * 1000.0);
        let asked = question(SearchMode::Semantic, &text, &vector);
        let started = Instant::now();
        search::search(conn, &company.owners[0], &asked).await?;
        function.push(started.elapsed().as_secs_f64() * 1000.0);
        let started = Instant::now();
        person
            .post("/api/search", &json!({ "query": text, "limit": WANTED }))
            .await?;
        http.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    times(report, "the function, for one user", &function);
    times(report, "POST /api/search, for the same user", &http);
    times(report, "of which the mock's embedding", &embedding);
    report.detail(
        "http",
        json!({ "functionMs": function, "httpMs": http, "embeddingMs": embedding }),
    );
    Ok(())
}
