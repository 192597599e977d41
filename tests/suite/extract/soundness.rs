//! Whatever the bytes, a reader yields a sound text or a fault, and never panics. PDF is left out:
//! its parser is known to panic, which is what the child process is for.

use std::path::Path;

use domain::documents::{DocumentType, Extracted, chunk};
use integrations::extract::{ExtractError, extract};
use proptest::prelude::*;
use tests::samples::{demo, docx};

/// The samples to damage.
fn samples() -> Vec<(DocumentType, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let read = |name: &str| std::fs::read(folder.join(name)).expect("a sample");
    vec![
        (DocumentType::Text, read("tea-and-prompts.zh.txt")),
        (DocumentType::Markdown, read("sfl-prompt-handbook.md")),
        (DocumentType::Html, read("pumping-station.html")),
        (DocumentType::Csv, read("planets.csv")),
        (DocumentType::Json, read("tea-catalogue.json")),
        (DocumentType::Docx, docx::document(demo::WORKSHOP)),
    ]
}

/// What must hold of every yield.
fn check(extracted: &Extracted) {
    let length = extracted.text.chars().count();
    assert!(!extracted.text.contains('\0') && !extracted.text.trim().is_empty());
    assert!(extracted.headings.is_sorted_by_key(|heading| heading.at));
    assert!(
        extracted
            .headings
            .iter()
            .all(|heading| heading.at < length && heading.level > 0)
    );
    assert!(extracted.pages.is_sorted() && extracted.pages.iter().all(|page| *page <= length));
    assert!(!chunk(extracted).is_empty());
}

/// Reads bytes as a kind.
fn read(kind: DocumentType, bytes: &[u8]) {
    let file = super::support::File::new("damaged", bytes);
    match extract(&file.path(), kind) {
        Ok(extracted) => check(&extracted),
        Err(ExtractError::Fault(_)) => {}
        Err(ExtractError::Failed(error)) => panic!("the machine failed: {error}"),
    }
}

proptest! {
    #[test]
    fn damaged_samples_yield_a_sound_text_or_a_fault(
        choice in 0..6_usize,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in proptest::option::weighted(0.3, any::<prop::sample::Index>()),
    ) {
        let (kind, mut bytes) = samples().swap_remove(choice);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read(kind, &bytes);
    }

    #[test]
    fn any_bytes_yield_a_sound_text_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for kind in DocumentType::ALL.iter().filter(|kind| **kind != DocumentType::Pdf) {
            read(*kind, &bytes);
        }
    }

    #[test]
    fn any_text_yields_a_sound_text_or_a_fault(text in "[ -~\n<>/#*|,;\"\\[\\]{}:é提]{0,200}") {
        for kind in DocumentType::ALL.iter().filter(|kind| **kind != DocumentType::Pdf) {
            read(*kind, text.as_bytes());
        }
    }
}
