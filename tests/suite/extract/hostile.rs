//! What a parser may do, and what the owner of the file is told; the parent survives it all.

use std::time::Duration;

use domain::documents::{DocumentType, ExtractFault};
use integrations::extract::{ExtractError, Extractor};
#[cfg(target_os = "linux")]
use landlock::{AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};
use tests::samples::{self, docx, pdf};

use super::support::{File, extractor};

async fn misbehaving(how: &str) -> Result<String, ExtractFault> {
    let file = File::new("a.txt", "words");
    file.extract_by(&extractor(Some(how)))
        .await
        .map(|extracted| extracted.text)
}

#[tokio::test]
async fn a_panic_is_a_broken_file() {
    assert!(matches!(
        misbehaving("panic").await,
        Err(ExtractFault::Broken(_))
    ));
}

#[tokio::test]
async fn an_overflown_stack_is_a_broken_file() {
    assert!(matches!(
        misbehaving("descend").await,
        Err(ExtractFault::Broken(_))
    ));
}

#[tokio::test]
async fn too_much_memory_is_a_file_too_large() {
    let fault = misbehaving("allocate").await.expect_err("no text");
    assert_eq!(
        fault,
        ExtractFault::TooLarge("reading it takes too much memory".into())
    );
}

#[tokio::test]
async fn an_endless_answer_is_a_file_too_large() {
    assert!(matches!(
        misbehaving("flood").await,
        Err(ExtractFault::TooLarge(_))
    ));
}

#[tokio::test]
async fn a_parser_that_never_ends_is_stopped_in_time() {
    let extractor = Extractor {
        time_limit: Duration::from_millis(300),
        ..extractor(Some("hang"))
    };
    let fault = File::new("a.txt", "words")
        .extract_by(&extractor)
        .await
        .expect_err("no text");
    assert_eq!(
        fault,
        ExtractFault::TooLarge("reading it takes too long".into())
    );
}

#[tokio::test]
async fn the_child_can_write_no_file() {
    assert_eq!(misbehaving("write-file").await, Ok("refused".into()));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn where_landlock_stands_the_child_reads_no_other_file_and_reaches_no_network() {
    let stands = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::ReadFile)
        .and_then(Ruleset::create);
    if stands.is_err() {
        return;
    }
    assert_eq!(misbehaving("open-file").await, Ok("refused".into()));
    assert_eq!(misbehaving("open-network").await, Ok("refused".into()));
}

#[tokio::test]
async fn archives_that_swell_are_refused() {
    let word = File::new("bomb.docx", docx::bomb(40 << 20)).extract().await;
    assert!(matches!(word, Err(ExtractFault::TooLarge(_))), "{word:?}");
    let small = Extractor {
        memory_bytes: 128 << 20,
        ..extractor(None)
    };
    let book = File::new("bomb.pdf", pdf::bomb(160 << 20))
        .extract_by(&small)
        .await;
    assert!(matches!(book, Err(ExtractFault::TooLarge(_))), "{book:?}");
}

#[tokio::test]
async fn bottomless_files_are_refused() {
    for (name, content) in [
        ("deep.html", samples::deep_html(1_000_000)),
        ("deep.json", "[".repeat(1_000_000)),
    ] {
        let result = File::new(name, content).extract().await;
        assert!(
            matches!(result, Err(ExtractFault::TooLarge(_))),
            "{name}: {result:?}"
        );
    }
}

#[tokio::test]
async fn a_missing_file_or_program_is_not_the_documents_fault() {
    let missing = extractor(None)
        .run("/nowhere/a.txt".as_ref(), DocumentType::Text)
        .await;
    assert!(matches!(missing, Err(ExtractError::Failed(_))));
    let extractor = Extractor {
        program: "/nowhere/program".into(),
        ..extractor(None)
    };
    let file = File::new("a.txt", "words");
    let unstarted = extractor.run(&file.path(), DocumentType::Text).await;
    assert!(matches!(unstarted, Err(ExtractError::Failed(_))));
}
