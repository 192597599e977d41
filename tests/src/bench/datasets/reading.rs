//! Rows are read again: page by page to the end, pages at random places, and all as a file.

use std::time::Instant;

use anyhow::ensure;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::json;

use super::table::Table;
use crate::bench::{
    float, quantile,
    report::Report,
    stand::{Person, Stand},
};

/// Rows of a page when all are read.
const MOST: usize = 1000;

/// Reads the dataset that was made of this table.
pub async fn measure(
    pages: usize,
    stand: &Stand,
    person: &Person,
    id: &str,
    table: &Table,
    report: &mut Report,
) -> anyhow::Result<()> {
    let name = table.format.name();
    let started = Instant::now();
    let places = walk(person, id, table.rows).await?;
    report.line(
        format!("{name}: all of it in pages of {MOST} rows"),
        format!("{:.2} s", started.elapsed().as_secs_f64()),
    );
    let first = format!("/api/datasets/{id}/rows?limit={MOST}");
    let mut random = SmallRng::seed_from_u64(1);
    let drawn = (0..pages).map(|_| &places[random.random_range(0..places.len())]);
    let drawn: Vec<_> = drawn.cloned().collect();
    for (what, rows, paths) in [
        ("the first page", MOST, vec![first; pages]),
        ("a page anywhere", MOST, drawn.clone()),
        (
            "a page at the end",
            MOST,
            vec![places[places.len() - 1].clone(); pages],
        ),
        ("a page anywhere", 100, drawn),
    ] {
        let times = time(person, &paths, rows).await?;
        report.line(
            format!("{name}: {what}, up to {rows} rows: p50, p95"),
            format!(
                "{:.1}, {:.1} ms",
                quantile(&times, 0.5),
                quantile(&times, 0.95)
            ),
        );
        let detail = format!("{}Pages{rows} {what}", table.format.ending());
        report.detail(&detail, json!(times));
    }
    export(stand, person, id, table, report).await
}

/// Where each page but the first begins, by following the links.
async fn walk(person: &Person, id: &str, rows: usize) -> anyhow::Result<Vec<String>> {
    let mut next = Some(format!("/api/datasets/{id}/rows?limit={MOST}"));
    let mut places = Vec::new();
    while let Some(path) = next {
        next = person.page(&path).await?;
        places.extend(next.clone());
    }
    ensure!(
        places.len() + 1 == rows.div_ceil(MOST) && !places.is_empty(),
        "{} pages of {rows} rows",
        places.len() + 1
    );
    Ok(places)
}

/// The milliseconds of each page.
async fn time(person: &Person, paths: &[String], rows: usize) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    for path in paths {
        let path = path.replace(&format!("limit={MOST}"), &format!("limit={rows}"));
        let started = Instant::now();
        person.get(&path).await?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times)
}

/// The file that is written has to be the one that was read.
async fn export(
    stand: &Stand,
    person: &Person,
    id: &str,
    table: &Table,
    report: &mut Report,
) -> anyhow::Result<()> {
    let path = format!("/api/datasets/{id}/export?format={}", table.format.ending());
    let (before, started) = (stand.cpu(), Instant::now());
    let bytes = person.bytes(&path).await?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = stand.cpu().since(&before);
    report.goal(
        &format!("{}: export of all", table.format.name()),
        format!(
            "{seconds:.2} s, {:.0} MB a second; CPU of API and Postgres {:.2} and {:.2} s",
            float(bytes.len()) / 1e6 / seconds,
            cpu.api,
            cpu.postgres
        ),
        "the bytes that came in",
        bytes == table.text.as_bytes(),
    );
    Ok(())
}
