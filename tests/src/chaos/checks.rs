//! What has to be true once everything is settled, asked of Postgres, Redis, the storage and the
//! API.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use diesel::{
    QueryableByName,
    sql_types::{BigInt, Binary, Text},
};
use diesel_async::{AsyncConnection as _, RunQueryDsl as _};
use domain::{documents::Sha256, jobs::JobKind};
use rand::{RngExt, rngs::StdRng};
use serde::Serialize;

use super::{caller::Caller, corpus::Sample};

/// One of the things that have to be true.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What.
    pub what: String,
    /// What was found.
    pub found: String,
    /// Whether it is as it has to be.
    pub holds: bool,
}

impl Check {
    /// Something of which there must be this many.
    pub fn equal(what: impl Into<String>, found: i64, wanted: i64) -> Self {
        Self {
            what: what.into(),
            found: format!("{found} of {wanted}"),
            holds: found == wanted,
        }
    }
}

/// Of each of these there must be none.
const NONE: &[(&str, &str)] = &[
    (
        "documents that are not completed",
        "documents WHERE status <> 'completed'",
    ),
    (
        "sets of passages that are not numbered 0, 1, 2 … each once",
        "(SELECT FROM chunks GROUP BY document_id, generation
          HAVING min(chunk_index) <> 0 OR max(chunk_index) <> count(*) - 1
              OR count(DISTINCT chunk_index) <> count(*)) sets",
    ),
    (
        "passages of sets that search does not see",
        "chunks c JOIN documents d ON d.id = c.document_id WHERE c.generation <> d.live_generation",
    ),
    (
        "passages without exactly one vector",
        "(SELECT FROM chunks c LEFT JOIN chunk_embeddings e
              ON e.company_id = c.company_id AND e.chunk_id = c.id
          GROUP BY c.company_id, c.id HAVING count(e.chunk_id) <> 1) odd",
    ),
    (
        "vectors without a passage",
        "chunk_embeddings e WHERE NOT EXISTS (SELECT FROM chunks c WHERE c.id = e.chunk_id)",
    ),
    (
        "documents whose counts are not their rows",
        "documents d WHERE chunks_total <> chunks_embedded OR chunks_total <> live_chunks
          OR chunks_total <> (SELECT count(*) FROM chunks c WHERE c.document_id = d.id)",
    ),
    ("jobs that run", "jobs WHERE state = 'running'"),
    ("jobs that wait", "jobs WHERE state = 'queued'"),
    ("dead jobs", "jobs WHERE state = 'dead'"),
    (
        "documents without exactly one job of each kind",
        "(SELECT FROM documents d LEFT JOIN jobs j ON j.subject_id = d.id GROUP BY d.id
          HAVING count(*) FILTER (WHERE j.kind = 'documents.extract') <> 1
              OR count(*) FILTER (WHERE j.kind = 'documents.embed') <> 1) odd",
    ),
];

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

#[derive(QueryableByName)]
struct Hash {
    #[diesel(sql_type = Binary)]
    sha256: Sha256,
    #[diesel(sql_type = BigInt)]
    documents: i64,
}

/// A look into the database behind the product's back.
pub struct Look(db::Connection);

impl Look {
    /// Connects, for as long as Postgres takes to be there.
    pub async fn at(url: &str) -> anyhow::Result<Self> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match db::Connection::establish(url).await {
                Ok(connection) => return Ok(Self(connection)),
                Err(cause) if Instant::now() > deadline => return Err(cause.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Rows of whatever may follow `FROM`.
    pub async fn count(&mut self, from: &str) -> anyhow::Result<i64> {
        self.number(&format!("SELECT count(*) AS number FROM {from}"))
            .await
    }

    /// The one number that a statement gives under the name `number`.
    pub async fn number(&mut self, sql: &str) -> anyhow::Result<i64> {
        let found: Number = diesel::sql_query(sql).get_result(&mut self.0).await?;
        Ok(found.number)
    }

    /// The texts that a statement gives under the name `word`.
    pub async fn words(&mut self, sql: &str) -> anyhow::Result<Vec<String>> {
        let found: Vec<Word> = diesel::sql_query(sql).load(&mut self.0).await?;
        Ok(found.into_iter().map(|row| row.word).collect())
    }

    /// In how many documents each passage's text is.
    pub async fn texts(&mut self) -> anyhow::Result<HashMap<Sha256, usize>> {
        let sql = "SELECT sha256, count(DISTINCT document_id) AS documents FROM chunks GROUP BY 1";
        let found: Vec<Hash> = diesel::sql_query(sql).load(&mut self.0).await?;
        let pairs = found.into_iter();
        Ok(pairs
            .map(|row| (row.sha256, usize::try_from(row.documents).unwrap_or(0)))
            .collect())
    }

    /// Waits until others have begun or done the orphaned jobs, and says how long that took.
    pub async fn await_resumption(
        &mut self,
        orphans: &[String],
        patience: Duration,
    ) -> anyhow::Result<Duration> {
        let began = Instant::now();
        if orphans.is_empty() {
            return Ok(Duration::ZERO);
        }
        let ids = format!("'{}'", orphans.join("','"));
        let attempts =
            format!("SELECT coalesce(sum(attempts), 0) AS number FROM jobs WHERE id IN ({ids})");
        let wanted = self.number(&attempts).await? + i64::try_from(orphans.len())?;
        while began.elapsed() < patience && self.number(&attempts).await? < wanted {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(began.elapsed())
    }

    /// Everything that Postgres has to say.
    pub async fn rows(&mut self, uploaded: usize) -> anyhow::Result<Vec<Check>> {
        let mut checks = Vec::new();
        let documents = self.count("documents").await?;
        let uploaded = i64::try_from(uploaded)?;
        checks.push(Check::equal("documents", documents, uploaded));
        for (what, from) in NONE {
            checks.push(Check::equal(*what, self.count(from).await?, 0));
        }
        Ok(checks)
    }
}

/// Every document has its file and every file its document.
pub async fn files(look: &mut Look, storage: &Path) -> anyhow::Result<Check> {
    let keys = look
        .words("SELECT storage_key AS word FROM documents")
        .await?;
    let missing = keys.iter().filter(|key| !storage.join(key).is_file());
    let (missing, files) = (missing.count(), count_files(storage));
    Ok(Check {
        what: "files in the storage, one for each document".into(),
        found: format!("{files} for {}, {missing} missing", keys.len()),
        holds: missing == 0 && files == keys.len(),
    })
}

fn count_files(folder: &Path) -> usize {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.path() {
            path if path.is_dir() => count_files(&path),
            _ => 1,
        })
        .sum()
}

/// Nothing waits in Redis.
pub async fn messages(redis_url: &str) -> anyhow::Result<Check> {
    let client = redis::Client::open(redis_url)?;
    let mut redis = client.get_multiplexed_async_connection().await?;
    let mut waiting = 0_i64;
    for kind in JobKind::ALL {
        let queue = format!("pa:jobs:{kind}");
        let (scheduled, active): (i64, i64) = redis::pipe()
            .zcard(format!("{queue}:scheduled"))
            .llen(format!("{queue}:active"))
            .query_async(&mut redis)
            .await?;
        waiting += scheduled + active;
    }
    Ok(Check::equal("messages left in Redis", waiting, 0))
}

/// Search finds each of some documents, drawn by lot, by what only it says.
pub async fn search(
    caller: &Caller,
    dice: &mut StdRng,
    uploaded: &[(String, Sample)],
) -> anyhow::Result<Check> {
    const DRAWN: usize = 10;
    let mut found = 0;
    for _ in 0..DRAWN {
        let (id, sample) = &uploaded[dice.random_range(0..uploaded.len())];
        let word = sample.marker.split(' ').next_back().context("no word")?;
        let by_words = caller.search(word, "keyword").await?;
        let by_both = caller.search(word, "hybrid").await?;
        found += i64::from(by_words[..].first() == Some(id) && by_both.contains(id));
    }
    let what = "documents found by what only they say";
    Ok(Check::equal(what, found, i64::try_from(DRAWN)?))
}
