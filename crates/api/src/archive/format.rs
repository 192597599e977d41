//! What an archive consists of: the version of its format, a file for each kind of row, and what its
//! manifest says of them.

use serde_json::{Map, Value, json};

/// What the manifest says that an archive is.
pub const FORMAT: &str = "prompt-architect";

/// The version of the format.
pub const FORMAT_VERSION: u32 = 1;

/// The file that says what the others are.
pub const MANIFEST: &str = "manifest.json";

/// The file of those whom the others name.
pub const PEOPLE: &str = "people.jsonl";

/// The folder of bytes, each under its SHA-256.
pub const FILES: &str = "files/";

/// A file of rows.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub file: &'static str,
    /// What reports call its rows.
    pub area: &'static str,
    /// The member by which rows belong to one another: the id of the first table of an area.
    pub key: &'static str,
    /// The members that are others after an import elsewhere.
    pub varies: &'static [&'static str],
}

/// Rows with what belongs to them.
#[derive(Debug)]
pub struct Area {
    /// The rows.
    pub head: Table,
    /// What belongs to them, and is read with them.
    pub parts: &'static [Table],
    /// What follows on them, in pieces.
    pub stream: Option<Table>,
}

const fn table(
    file: &'static str,
    area: &'static str,
    key: &'static str,
    varies: &'static [&'static str],
) -> Table {
    Table {
        file,
        area,
        key,
        varies,
    }
}

const fn area(head: Table, parts: &'static [Table]) -> Area {
    Area {
        head,
        parts,
        stream: None,
    }
}

/// Templates.
pub const TEMPLATES: Area = area(
    table(
        "templates.jsonl",
        "templates",
        "id",
        &["createdBy", "updatedAt"],
    ),
    &[table(
        "template_versions.jsonl",
        "templateVersions",
        "templateId",
        &["createdBy"],
    )],
);

/// Requests.
pub const REQUESTS: Area = area(
    table(
        "requests.jsonl",
        "requests",
        "id",
        &["createdBy", "assignedTo", "updatedAt"],
    ),
    &[
        table(
            "request_comments.jsonl",
            "requestComments",
            "requestId",
            &["authorId"],
        ),
        table(
            "request_activity.jsonl",
            "requestActivity",
            "requestId",
            &["userId", "details.engineerId"],
        ),
    ],
);

/// Prompts.
pub const PROMPTS: Area = area(
    table("prompts.jsonl", "prompts", "id", &["issueId", "updatedAt"]),
    &[
        table(
            "prompt_versions.jsonl",
            "promptVersions",
            "promptId",
            &["createdBy"],
        ),
        table(
            "prompt_label_moves.jsonl",
            "promptLabelMoves",
            "promptId",
            &["id", "movedBy"],
        ),
    ],
);

/// Documents.
pub const DOCUMENTS: Area = area(
    table("documents.jsonl", "documents", "id", &["updatedAt"]),
    &[],
);

/// Workflows. A changed built-in one goes to the built-in one of its name.
pub const WORKFLOWS: Area = area(
    table(
        "workflows.jsonl",
        "workflows",
        "id",
        &["id", "createdAt", "updatedAt"],
    ),
    &[],
);

/// Datasets.
pub const DATASETS: Area = Area {
    head: table("datasets.jsonl", "datasets", "id", &["updatedAt"]),
    parts: &[table(
        "dataset_versions.jsonl",
        "datasetVersions",
        "datasetId",
        &["createdBy"],
    )],
    stream: Some(table("dataset_rows.jsonl", "datasetRows", "datasetId", &[])),
};

/// Outputs.
pub const OUTPUTS: Area = area(
    table(
        "outputs.jsonl",
        "outputs",
        "id",
        &["createdBy", "scanner", "scannedAt", "updatedAt"],
    ),
    &[],
);

/// Every area, each after those that it refers to.
pub const AREAS: [&Area; 7] = [
    &TEMPLATES, &REQUESTS, &PROMPTS, &DOCUMENTS, &WORKFLOWS, &DATASETS, &OUTPUTS,
];

/// What is not in an archive, by what it is called, and why.
pub const LEFT_OUT: [(&str, &str); 11] = [
    (
        "owners",
        "What an import makes belongs to whoever imports; move the private rows of each person with an archive of their own.",
    ),
    (
        "accounts",
        "People, invitations, API keys, sessions and sign-in events are of an installation; people.jsonl only says whom rows name.",
    ),
    (
        "runs",
        "Runs with their cells, attempts and grades record what calls cost here; export each as CSV, JSON Lines or JUnit.",
    ),
    (
        "executions",
        "Executions of workflows and the versions they were pinned to are records of what was performed here.",
    ),
    (
        "generation events",
        "Statistics count what was generated here, and begin anew elsewhere.",
    ),
    (
        "issues",
        "Issues are copies of what a tracker has, and come back with its next synchronisation; a prompt keeps its issueId where that issue is there.",
    ),
    (
        "trackers",
        "Connections to trackers hold secrets that open in their own installation only.",
    ),
    (
        "models and provider keys",
        "Models and prices come with an installation, and keys are secrets that open there only.",
    ),
    (
        "passages and vectors",
        "They are made anew of each document, by the model of the installation it arrives in.",
    ),
    (
        "pauses and retention",
        "What is paused and how long what is kept is for the admins of each installation to say.",
    ),
    (
        "jobs, caches and the audit log",
        "They tell what happened here: an audit log that could be imported would prove nothing.",
    ),
];

/// Every table of every area.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    AREAS.into_iter().flat_map(|area| {
        std::iter::once(&area.head)
            .chain(area.parts)
            .chain(area.stream.as_ref())
    })
}

/// What an archive says of itself: how many rows each file has, and whose bytes were not to be found.
pub fn manifest(rows: &Map<String, Value>, missing: &[String]) -> Value {
    let of_tables: Map<String, Value> = tables()
        .map(|table| (table.file.to_owned(), json!(table.varies)))
        .collect();
    let left_out: Map<String, Value> = LEFT_OUT
        .iter()
        .map(|(name, why)| ((*name).to_owned(), json!(why)))
        .collect();
    json!({
        "format": FORMAT,
        "formatVersion": FORMAT_VERSION,
        "exportedAt": chrono::Utc::now(),
        "rows": rows,
        "varies": of_tables,
        "leftOut": left_out,
        "missing": missing,
    })
}
