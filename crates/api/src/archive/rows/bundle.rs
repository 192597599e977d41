//! A row of an archive with what belongs to it, as `db` takes it in.

use db::archive::Bundle;
use domain::templates::{lint, schema_fault};
use serde_json::Value;

use super::{Parts, Reader, prompts};
use crate::archive::{
    files::Needed,
    format::{self, Area},
};

/// What a row of this area is with its parts. Every fault is said, whatever else is wrong.
pub fn of(
    reader: &mut Reader<'_>,
    area: &'static Area,
    row: (usize, Value),
    parts: Parts,
) -> Option<Bundle> {
    match area.head.area {
        "templates" => template(reader, row, parts),
        "requests" => request(reader, row, parts),
        "prompts" => prompt(reader, row, parts),
        "documents" => document(reader, row),
        "workflows" => prompts::workflow(reader.found, row.0, row.1, reader.viewer),
        "datasets" => dataset(reader, row, parts),
        "outputs" => output(reader, row),
        _ => None,
    }
}

fn template(
    reader: &mut Reader<'_>,
    (index, value): (usize, Value),
    parts: Parts,
) -> Option<Bundle> {
    use db::templates::archive::{ArchivedTemplate, ArchivedTemplateVersion, Imported};
    let found = &mut *reader.found;
    let row: Option<ArchivedTemplate> = found.row("templates", index, value);
    let mut versions: Vec<(usize, ArchivedTemplateVersion)> = Vec::new();
    for part in parts {
        versions.extend(found.rows("templateVersions", part));
    }
    versions.retain(|(place, version)| {
        let faults = found.fault_count;
        if let Some(fault) = schema_fault(&version.lint) {
            found.fault("templateVersions", *place, "lintJson", fault.0);
        } else {
            for finding in lint(&version.body_md, &version.lint).findings {
                let member = finding.member();
                found.fault("templateVersions", *place, member, finding.sentence());
            }
        }
        found.fault_count == faults
    });
    let row = row?;
    Some(Bundle::Template(Imported {
        index,
        row,
        versions,
    }))
}

fn request(
    reader: &mut Reader<'_>,
    (index, value): (usize, Value),
    parts: Parts,
) -> Option<Bundle> {
    let found = &mut *reader.found;
    let row = found.row("requests", index, value);
    let mut parts = parts.into_iter();
    let comments = found.rows("requestComments", parts.next()?);
    let activity = found.rows("requestActivity", parts.next()?);
    Some(Bundle::Request(db::requests::archive::Imported {
        index,
        row: row?,
        comments,
        activity,
    }))
}

fn prompt(reader: &mut Reader<'_>, (index, value): (usize, Value), parts: Parts) -> Option<Bundle> {
    let head = prompts::prompt(reader.found, index, value, reader.viewer, true);
    let mut parts = parts.into_iter();
    let versions = prompts::rows(reader.found, "promptVersions", parts.next()?);
    let moves = prompts::rows(reader.found, "promptLabelMoves", parts.next()?);
    let prompt = head?;
    reader.prompts.push(prompt.id.0);
    Some(Bundle::Prompt(Box::new(db::prompts::archive::Imported {
        prompt,
        versions,
        moves,
    })))
}

fn document(reader: &mut Reader<'_>, (index, value): (usize, Value)) -> Option<Bundle> {
    use db::documents::archive::{ArchivedDocument, Imported};
    let area = format::DOCUMENTS.head.area;
    let mut row: ArchivedDocument = reader.found.row(area, index, value)?;
    let needed = Needed::document(index, &row);
    if !reader.needs(area, needed) {
        return None;
    }
    let kept = reader
        .kept
        .get(&(area, row.id.0))
        .cloned()
        .unwrap_or_default();
    row.content_type = kept.document_type.unwrap_or(row.content_type);
    let stored = kept.stored;
    Some(Bundle::Document(Imported { index, row, stored }))
}

fn output(reader: &mut Reader<'_>, (index, value): (usize, Value)) -> Option<Bundle> {
    use db::outputs::archive::{ArchivedOutput, Imported};
    let area = format::OUTPUTS.head.area;
    let mut row: ArchivedOutput = reader.found.row(area, index, value)?;
    let needed = Needed::output(index, &row);
    if !reader.needs(area, needed) {
        return None;
    }
    let kept = reader
        .kept
        .get(&(area, row.id.0))
        .cloned()
        .unwrap_or_default();
    row.content_type = kept.output_type.unwrap_or(row.content_type);
    Some(Bundle::Output(Imported {
        index,
        row,
        scan: kept.scan,
        stored: kept.stored,
    }))
}

fn dataset(
    reader: &mut Reader<'_>,
    (index, value): (usize, Value),
    parts: Parts,
) -> Option<Bundle> {
    let row = reader.found.row("datasets", index, value);
    let versions = reader
        .found
        .rows("datasetVersions", parts.into_iter().next()?);
    Some(Bundle::Dataset(db::datasets::archive::Imported {
        index,
        row: row?,
        versions,
        limits: reader.limits,
    }))
}
