//! Unpacking an archive: each file of rows goes to a file of its own on the local disk, and what is
//! kept of it in memory is where the rows of each thing are.

mod check;

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Read, Seek as _, SeekFrom, Write as _},
};

use domain::documents::Sha256;
use serde_json::Value;
use sha2::Digest as _;
use tempfile::NamedTempFile;
use uuid::Uuid;
use zip::ZipArchive;

use super::{
    Limits,
    format::{AREAS, FILES, MANIFEST, PEOPLE, Table, tables},
    found::{Found, malformed, too_large},
    values,
};
use crate::error::{ApiError, ApiResult};
use check::{check_manifest, count_marks};

/// The most bytes of a line that is no row of a dataset: a prompt that was made member by member can
/// be that large.
const LINE_BYTES: u64 = 16 * 1024 * 1024;

/// The most rows of an archive, apart from those of datasets.
const ROWS: usize = 500_000;

/// The most files of an archive.
const MOST_FILES: usize = 50_000;

/// The most places where rows of another thing begin.
const RUNS: usize = 1_000_000;

/// Rows of one thing that stand together.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The thing.
    pub key: Uuid,
    /// The place of the first.
    pub index: usize,
    offset: u64,
    bytes: u64,
}

/// The rows of a file, by what they belong to.
#[derive(Debug)]
pub struct Rows {
    file: File,
    runs: Vec<Run>,
}

impl Rows {
    /// Where the rows are, in the order of what they belong to.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Where the rows of a thing are.
    pub fn of(&self, key: Uuid) -> &[Run] {
        let from = self.runs.partition_point(|run| run.key < key);
        let to = self.runs.partition_point(|run| run.key <= key);
        &self.runs[from..to]
    }

    /// The rows that stand together there, one by one.
    pub fn read(&self, run: Run) -> ApiResult<impl Iterator<Item = (usize, Vec<u8>)>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(run.offset))?;
        let lines = BufReader::new(file.take(run.bytes)).split(b'\n');
        Ok((run.index..).zip(lines.map_while(Result::ok)))
    }

    /// How many bytes they have.
    pub fn bytes(&self, key: Uuid) -> u64 {
        self.of(key).iter().map(|run| run.bytes).sum()
    }
}

/// An archive.
#[derive(Debug)]
pub struct Unpacked {
    /// By the names of their files.
    pub rows: HashMap<&'static str, Rows>,
    /// Those whom they name.
    pub people: Vec<(usize, Value)>,
    /// Whose bytes were not to be found when it was written.
    pub missing: Vec<String>,
    zip: ZipArchive<BufReader<File>>,
}

impl Unpacked {
    /// Unpacks an archive from the beginning of its file.
    pub fn of(mut file: File, limits: &Limits, found: &mut Found) -> ApiResult<Self> {
        count_marks(&mut file)?;
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|_| broken())?;
        if zip.len() > MOST_FILES {
            return Err(too_large(&format!("{MOST_FILES} files")));
        }
        let missing = check_manifest(&mut zip)?;
        let mut unpacking = Unpacking {
            found,
            limits,
            left: limits.unpacked_bytes,
            rows: 0,
            runs: 0,
        };
        let (mut rows, mut people) = (HashMap::new(), Vec::new());
        for place in 0..zip.len() {
            let entry = zip.by_index(place).map_err(|_| broken())?;
            let name = entry.name().to_owned();
            let is_bytes = name
                .strip_prefix(FILES)
                .is_some_and(|name| name.parse::<Sha256>().is_ok());
            if let Some(table) = tables().find(|table| table.file == name) {
                rows.insert(table.file, unpacking.table(table, entry)?);
            } else if name == PEOPLE {
                people = unpacking.people(entry)?;
            } else if name != MANIFEST && !is_bytes {
                unpacking.found.ignore(&name);
            }
        }
        for table in tables() {
            if !rows.contains_key(table.file) {
                let (file, runs) = (tempfile::tempfile()?, Vec::new());
                rows.insert(table.file, Rows { file, runs });
            }
        }
        Ok(Self {
            rows,
            people,
            missing,
            zip,
        })
    }

    /// The bytes of this SHA-256 as a file, if they are here, are no more than that and are those.
    pub fn extract(
        &mut self,
        sha256: Sha256,
        most: u64,
    ) -> ApiResult<Result<NamedTempFile, String>> {
        let name = format!("{FILES}{sha256}");
        let Ok(entry) = self.zip.by_name(&name) else {
            return Ok(Err(format!("has no bytes: {name} is not in the archive")));
        };
        let (mut from, mut to) = (entry.take(most + 1), NamedTempFile::new()?);
        let (mut piece, mut digest, mut bytes) = (vec![0; 64 * 1024], sha2::Sha256::new(), 0);
        loop {
            let Ok(read) = from.read(&mut piece) else {
                return Ok(Err(format!("cannot be read: {name} is broken")));
            };
            if read == 0 {
                break;
            }
            bytes += read as u64;
            if bytes > most {
                return Ok(Err(format!("must have at most {most} bytes")));
            }
            digest.update(&piece[..read]);
            to.write_all(&piece[..read])?;
        }
        to.flush()?;
        if Sha256(digest.finalize().into()) != sha256 {
            return Ok(Err(format!(
                "has other bytes than its sha256 promises, in {name}"
            )));
        }
        Ok(Ok(to))
    }
}

fn broken() -> ApiError {
    malformed("The body is no ZIP archive, or a broken one.")
}

/// What is left of the limits while an archive is unpacked.
struct Unpacking<'a> {
    found: &'a mut Found,
    limits: &'a Limits,
    left: u64,
    rows: usize,
    runs: usize,
}

/// By what a row belongs somewhere.
#[derive(serde::Deserialize)]
struct Keys {
    id: Option<Uuid>,
    #[serde(rename = "templateId")]
    template: Option<Uuid>,
    #[serde(rename = "requestId")]
    request: Option<Uuid>,
    #[serde(rename = "promptId")]
    prompt: Option<Uuid>,
    #[serde(rename = "datasetId")]
    dataset: Option<Uuid>,
}

impl Keys {
    fn get(&self, member: &str) -> Option<Uuid> {
        match member {
            "templateId" => self.template,
            "requestId" => self.request,
            "promptId" => self.prompt,
            "datasetId" => self.dataset,
            _ => self.id,
        }
    }
}

impl Unpacking<'_> {
    /// The rows of a table, in a file of their own.
    fn table(&mut self, table: &Table, entry: impl Read) -> ApiResult<Rows> {
        let is_head = table.key == "id";
        let is_counted = !AREAS.iter().any(|area| {
            area.stream
                .as_ref()
                .is_some_and(|stream| stream.file == table.file)
        });
        let (mut to, mut runs) = (
            std::io::BufWriter::new(tempfile::tempfile()?),
            Vec::<Run>::new(),
        );
        let mut offset = 0;
        let line_bytes = if is_counted {
            LINE_BYTES
        } else {
            self.limits.row_bytes
        };
        self.lines(entry, line_bytes, |this, index, line| {
            if is_counted {
                this.count()?;
            }
            let bytes = line.len() as u64;
            to.write_all(line)?;
            let start = offset;
            offset += bytes;
            let Some(key) = this.key(table, index, line) else {
                return Ok(());
            };
            match runs.last_mut() {
                Some(run) if run.key == key && !is_head && run.offset + run.bytes == start => {
                    run.bytes += bytes;
                }
                _ => runs.push(this.run(key, index, (start, bytes))?),
            }
            Ok(())
        })?;
        let file = to
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        runs.sort_by_key(|run| (run.key, run.index));
        Ok(Rows { file, runs })
    }

    /// By what a row belongs somewhere; if that cannot be read, it is said.
    fn key(&mut self, table: &Table, index: usize, line: &[u8]) -> Option<Uuid> {
        match serde_json::from_slice::<Keys>(line) {
            Ok(keys) => {
                let key = keys.get(table.key);
                if key.is_none() {
                    self.found
                        .fault(table.area, index, table.key, "is required");
                }
                key
            }
            Err(fault) if fault.is_data() => {
                let message = "must be an object whose ids are UUIDs";
                self.found.fault(table.area, index, "", message);
                None
            }
            Err(fault) => {
                let message = format!("is not valid JSON: {fault}");
                self.found.fault(table.area, index, "", message);
                None
            }
        }
    }

    fn run(&mut self, key: Uuid, index: usize, (offset, bytes): (u64, u64)) -> ApiResult<Run> {
        self.runs += 1;
        if self.runs > RUNS {
            let detail =
                "The rows of the archive are in disorder: those of one thing must stand together.";
            return Err(malformed(detail));
        }
        Ok(Run {
            key,
            index,
            offset,
            bytes,
        })
    }

    fn count(&mut self) -> ApiResult<()> {
        self.rows += 1;
        if self.rows > ROWS {
            return Err(too_large(&format!("{ROWS} rows")));
        }
        Ok(())
    }

    fn people(&mut self, entry: impl Read) -> ApiResult<Vec<(usize, Value)>> {
        let mut people = Vec::new();
        self.lines(entry, 64 * 1024, |this, index, line| {
            this.count()?;
            match values::from_slice(line) {
                Ok(Some(value)) => people.push((index, value)),
                Ok(None) => this.found.crowded("people", index),
                Err(fault) => {
                    let message = format!("is not valid JSON: {fault}");
                    this.found.fault("people", index, "", message);
                }
            }
            Ok(())
        })?;
        Ok(people)
    }

    /// Each line of a file.
    fn lines(
        &mut self,
        entry: impl Read,
        most: u64,
        mut take: impl FnMut(&mut Self, usize, &[u8]) -> ApiResult<()>,
    ) -> ApiResult<()> {
        // One byte more than is left: if that is reached, the archive is too large.
        let mut entry = BufReader::new(entry.take(self.left + 1));
        let mut line = Vec::new();
        for index in 0.. {
            line.clear();
            let bytes = (&mut entry)
                .take(most + 1)
                .read_until(b'\n', &mut line)
                .map_err(|_| malformed("The archive is broken."))? as u64;
            if bytes > most {
                return Err(too_large(&format!("{most} bytes in a line")));
            }
            if bytes == 0 {
                return Ok(());
            }
            let unpacked = self.limits.unpacked_bytes;
            self.left = self
                .left
                .checked_sub(bytes)
                .ok_or_else(|| too_large(&format!("{unpacked} bytes of rows when unpacked")))?;
            if line.last() != Some(&b'\n') {
                line.push(b'\n');
            }
            take(self, index, &line)?;
        }
        Ok(())
    }
}
