//! Everything on the move: out of one installation and into another, without loss and without harm.

mod browser;
mod fill;
mod hostile;
mod rights;
mod round_trip;

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _, Write as _},
};

use reqwest::Method;
use serde_json::{Value, json};
use tests::support::{Client, Reply};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

const IMPORT: &str = "/api/import";
const TRIAL: &str = "/api/import?dryRun=true";

/// An archive, file by file.
#[derive(Debug, Clone)]
struct Archive(BTreeMap<String, Vec<u8>>);

impl Archive {
    /// What somebody may see.
    async fn of(client: &Client) -> Self {
        let export = client.get("/api/export").await;
        export.expect(200);
        Self::read(&export.body)
    }

    fn read(bytes: &[u8]) -> Self {
        let mut zip = ZipArchive::new(Cursor::new(bytes)).expect("a ZIP");
        let names: Vec<String> = zip.file_names().map(str::to_owned).collect();
        let mut files = BTreeMap::new();
        for name in names {
            let mut bytes = Vec::new();
            let mut file = zip.by_name(&name).expect("a file");
            file.read_to_end(&mut bytes).expect("its bytes");
            files.insert(name, bytes);
        }
        Self(files)
    }

    fn zip(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in &self.0 {
            zip.start_file(name.as_str(), SimpleFileOptions::default())
                .expect("a file");
            zip.write_all(bytes).expect("its bytes");
        }
        zip.finish().expect("a ZIP").into_inner()
    }

    fn manifest(&self) -> Value {
        serde_json::from_slice(&self.0["manifest.json"]).expect("a manifest")
    }

    /// The rows of a file.
    fn rows(&self, file: &str) -> Vec<Value> {
        let text = std::str::from_utf8(&self.0[file]).expect("text");
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a row"))
            .collect()
    }

    /// The same with other rows in a file.
    fn with(mut self, file: &str, rows: &[Value]) -> Self {
        let lines: Vec<String> = rows.iter().map(|row| format!("{row}\n")).collect();
        self.0.insert(file.into(), lines.concat().into_bytes());
        self
    }

    /// The same with the first row of a file changed.
    fn changed(self, file: &str, change: impl FnOnce(&mut Value)) -> Self {
        let mut rows = self.rows(file);
        change(rows.first_mut().expect("a row"));
        self.with(file, &rows)
    }

    /// All that is to be the same elsewhere, by what the manifest says: rows by file, and bytes.
    fn lasting(&self) -> BTreeMap<String, Vec<Value>> {
        let manifest = self.manifest();
        let mut lasting = BTreeMap::new();
        for (file, varies) in manifest["varies"].as_object().expect("an object") {
            let mut rows = self.rows(file);
            for row in &mut rows {
                for path in varies.as_array().expect("a list") {
                    take_away(row, path.as_str().expect("a path"));
                }
            }
            rows.sort_by_key(Value::to_string);
            lasting.insert(file.clone(), rows);
        }
        for (name, bytes) in self.0.iter().filter(|(name, _)| name.starts_with("files/")) {
            lasting.insert(name.clone(), vec![json!(bytes)]);
        }
        lasting
    }
}

fn take_away(row: &mut Value, path: &str) {
    let members = row.as_object_mut().expect("an object");
    match path.split_once('.') {
        None => drop(members.remove(path)),
        Some((member, rest)) => take_away(&mut members[member], rest),
    }
}

async fn send(client: &Client, path: &str, archive: &Archive) -> Reply {
    send_bytes(client, path, archive.zip()).await
}

async fn send_bytes(client: &Client, path: &str, archive: Vec<u8>) -> Reply {
    let request = client
        .request(Method::POST, path)
        .header("content-type", "application/zip")
        .body(archive);
    Reply::to(request).await
}

/// How many rows became what.
fn counts(report: &Value) -> (u64, u64, u64, u64) {
    let of = |name: &str| report["counts"][name].as_u64().expect("a number");
    (of("created"), of("updated"), of("unchanged"), of("faults"))
}
