//! What a real scanner finds, and what it does not look through.

use std::{io::Write as _, time::Duration};

use integrations::scan::{Clamd, Scanning, Verdict};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{eicar, keep_file, keep_text, nothing_is_kept, prompt, scanned, scanner_url};

const MIB: usize = 1024 * 1024;

fn zip(method: CompressionMethod, files: &[Vec<u8>]) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (number, bytes) in files.iter().enumerate() {
        let name = format!("{number}.txt");
        archive.start_file(name, options).expect("an entry");
        archive.write_all(bytes).expect("its bytes");
    }
    archive.finish().expect("an archive").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_infected_output_is_refused_by_name_and_nothing_is_kept() {
    let app = scanned().await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let hidden = [b"Dear reader, ".as_slice(), &eicar(), b" yours"].concat();
    let cases = [
        ("plain.txt", eicar()),
        ("hidden.txt", hidden),
        ("stored.zip", zip(CompressionMethod::Stored, &[eicar()])),
        (
            "packed.zip",
            zip(
                CompressionMethod::Deflated,
                &[b"harmless".to_vec(), eicar()],
            ),
        ),
        (
            "nested.zip",
            zip(
                CompressionMethod::Deflated,
                &[zip(CompressionMethod::Deflated, &[eicar()])],
            ),
        ),
    ];
    for (name, bytes) in cases {
        let refused = keep_file(&ada, &version, name, &bytes).await;
        let problem = refused.expect_problem(422, "output_infected");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("Eicar"), "{name}: {detail}");
    }
    let words = String::from_utf8(eicar()).expect("text");
    let refused = keep_text(&ada, &version, &words).await;
    refused.expect_problem(422, "output_infected");
    nothing_is_kept(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_swells_beyond_the_scanners_limits_is_refused() {
    let app = scanned().await;
    let ada = app.register().await;
    let (_, version) = prompt(&ada, "private").await;
    let many: Vec<_> = (0..10).map(|byte| vec![byte; 5 * MIB]).collect();
    // Behind so much that the scanner would pass over the whole file.
    let one = [vec![0; 45 * MIB], eicar()].concat();
    for files in [many, vec![one]] {
        let bomb = zip(CompressionMethod::Deflated, &files);
        assert!(bomb.len() < MIB, "{} bytes", bomb.len());
        let refused = keep_file(&ada, &version, "bomb.zip", &bomb).await;
        let problem = refused.expect_problem(413, "too_large");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("MaxScanSize"), "{detail}");
    }
    nothing_is_kept(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_file_that_is_too_large_is_not_lost_while_it_is_sent() {
    drop(scanned().await);
    let url = scanner_url().expect("a scanner");
    let Ok(Scanning::By(place)) = url.parse() else {
        panic!("{url} names no scanner");
    };
    let clamd = Clamd::new(place, Duration::from_secs(60));
    let file = tempfile::NamedTempFile::new().expect("a file");
    for size in [7 * MIB, 60 * MIB] {
        std::fs::write(file.path(), vec![b'a'; size]).expect("written");
        for _ in 0..5 {
            let scan = clamd.scan(file.path()).await.expect("a verdict");
            assert_eq!(scan.verdict, Verdict::TooLarge("StreamMaxLength".into()));
            assert!(scan.scanner.starts_with("ClamAV "), "{}", scan.scanner);
        }
    }
}
