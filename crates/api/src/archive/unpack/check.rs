//! What is looked at before an archive is unpacked: how many files it may have, and whether it is ours.

use std::{
    fs::File,
    io::{BufReader, Read as _, Seek as _},
};

use serde_json::Value;
use zip::ZipArchive;

use super::{
    super::{
        format::{FORMAT, FORMAT_VERSION, MANIFEST},
        found::{malformed, too_large},
        values,
    },
    MOST_FILES,
};
use crate::error::ApiResult;

/// The most marks of files, of which those of archives in an archive are some.
const MARKS: usize = 250_000;

/// The most bytes of a manifest.
const MANIFEST_BYTES: u64 = 16 * 1024 * 1024;

/// Refuses an archive of too many files: reading their names alone takes memory for each. No file
/// can be in it without this mark. Files that are archives themselves may have some more.
pub(super) fn count_marks(file: &mut File) -> ApiResult<()> {
    file.rewind()?;
    let (mut bytes, mut kept, mut marks) = (vec![0; 64 * 1024], 0, 0);
    loop {
        let read = file.read(&mut bytes[kept..])?;
        if read == 0 {
            return Ok(file.rewind()?);
        }
        let end = kept + read;
        marks += bytes[..end]
            .windows(4)
            .filter(|four| four == b"PK\x01\x02")
            .count();
        if marks > MARKS {
            return Err(too_large(&format!("{MOST_FILES} files")));
        }
        kept = end.min(3);
        bytes.copy_within(end - kept..end, 0);
    }
}

/// Whether an archive is one of ours; gives whose bytes it lacks.
pub(super) fn check_manifest(zip: &mut ZipArchive<BufReader<File>>) -> ApiResult<Vec<String>> {
    let unknown = || malformed("The archive has no manifest of this product.");
    let entry = zip.by_name(MANIFEST).map_err(|_| unknown())?;
    let mut text = Vec::new();
    entry
        .take(MANIFEST_BYTES)
        .read_to_end(&mut text)
        .map_err(|_| unknown())?;
    let manifest = values::from_slice(&text).ok().flatten();
    let manifest = manifest.ok_or_else(unknown)?;
    if manifest["format"] != FORMAT {
        return Err(unknown());
    }
    if manifest["formatVersion"] != FORMAT_VERSION {
        return Err(malformed(format!(
            "The archive is of format version {}; known here is {FORMAT_VERSION}.",
            manifest["formatVersion"]
        )));
    }
    let missing = manifest["missing"].as_array().cloned().unwrap_or_default();
    let texts = missing.iter().filter_map(Value::as_str);
    Ok(texts.map(str::to_owned).collect())
}
