//! The demo's documents: current, readable, and each question finds the passage that answers it.

use std::path::{Path, PathBuf};

use domain::{
    documents::{DocumentType, FileName, chunk},
    providers::mock::embed,
};
use integrations::extract::{extract, sniff};
use serde::Deserialize;
use tests::samples::{demo, docx, pdf};

/// A question whose answer is known.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    question: String,
    file: String,
    must_contain: String,
}

/// A passage of a sample.
struct Passage {
    file: String,
    text: String,
    vector: Vec<f32>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// Every passage of every sample.
fn passages() -> Vec<Passage> {
    let mut passages = Vec::new();
    for entry in folder().read_dir().expect("the samples") {
        let path = entry.expect("an entry").path();
        let name: FileName = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .parse()
            .expect("a file name");
        if name.as_str() == "questions.json" {
            continue;
        }
        let kind = sniff(&path, &name)
            .expect("a readable file")
            .expect("a known type");
        let extracted = extract(&path, kind).expect("a text");
        passages.extend(chunk(&extracted).into_iter().map(|chunk| Passage {
            file: name.as_str().to_owned(),
            vector: embed(&chunk.text),
            text: chunk.text,
        }));
    }
    passages
}

#[test]
fn every_question_finds_the_passage_that_answers_it() {
    let questions = std::fs::read(folder().join("questions.json")).expect("the questions");
    let questions: Vec<Known> = serde_json::from_slice(&questions).expect("questions");
    let passages = passages();
    assert!(questions.len() >= 12 && passages.len() >= 20);
    let mut missed = Vec::new();
    for question in questions {
        let vector = embed(&question.question);
        let score = |passage: &&Passage| {
            vector
                .iter()
                .zip(&passage.vector)
                .map(|(a, b)| a * b)
                .sum::<f32>()
        };
        let best = passages
            .iter()
            .max_by(|a, b| score(a).total_cmp(&score(b)))
            .expect("a passage");
        if best.file != question.file || !best.text.contains(&question.must_contain) {
            missed.push(format!(
                "{} finds {}: {}",
                question.question, best.file, best.text
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}

#[test]
fn the_generated_samples_are_current() {
    let (pages, titles) = demo::lighthouses();
    let mut booklet = pdf::document(&pages, &titles);
    booklet.compress();
    let files = [
        ("lighthouses.pdf", pdf::bytes(booklet)),
        ("workshop-handbook.docx", docx::document(demo::WORKSHOP)),
    ];
    for (name, content) in files {
        let path = folder().join(name);
        if std::env::var_os("UPDATE_SAMPLES").is_some() {
            std::fs::write(&path, &content).expect("a written sample");
        }
        let stored = std::fs::read(&path).unwrap_or_default();
        assert!(
            stored == content,
            "{name} is out of date: run the test once with UPDATE_SAMPLES=1"
        );
    }
}

#[test]
fn the_samples_are_of_every_type() {
    let kinds: std::collections::BTreeSet<DocumentType> = folder()
        .read_dir()
        .expect("the samples")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .parse()
                .expect("a file name");
            sniff(&path, &name)
                .expect("a readable file")
                .expect("a known type")
        })
        .collect();
    assert_eq!(kinds.len(), DocumentType::ALL.len());
}
