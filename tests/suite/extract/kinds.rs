//! What a file is, and what it yields.

use domain::documents::{DocumentType, ExtractFault, chunk};
use tests::samples::{self, docx::Piece, pdf};

use super::support::File;

#[test]
fn the_type_is_told_by_content_and_not_by_name() {
    let pdf = pdf::bytes(pdf::numbered(1));
    let docx = samples::docx::document(&[Piece::Words("words")]);
    let late_pdf = [b"\n".repeat(900), pdf.clone()].concat();
    let page = "<!-- by hand -->\n<!DOCTYPE html>\n<html><body>x</body></html>";
    let cases: [(&str, &[u8], DocumentType); 20] = [
        ("a.txt", &pdf, DocumentType::Pdf),
        ("a.pdf", &late_pdf, DocumentType::Pdf),
        ("a.zip", &docx, DocumentType::Docx),
        ("cut.docx", &docx[..docx.len() / 2], DocumentType::Docx),
        ("a.pdf", b"only words", DocumentType::Text),
        ("a.docx", b"only words", DocumentType::Text),
        ("a.txt", page.as_bytes(), DocumentType::Html),
        ("a.html", b"<p>part of a page", DocumentType::Html),
        ("a.html", b"no tags here", DocumentType::Text),
        ("a.md", b"# Title", DocumentType::Markdown),
        ("a.txt", b"# Title", DocumentType::Text),
        ("data", b"{\"a\": [1, 2]}", DocumentType::Json),
        ("a.json", b"  [1, 2", DocumentType::Json),
        ("a.json", b"no JSON", DocumentType::Text),
        ("lines", b"{\"a\": 1}\n{\"a\": 2}\n", DocumentType::Json),
        ("a.csv", b"a,b\n1,2\n", DocumentType::Csv),
        ("a.csv", b"Dear all,\nno table.\n", DocumentType::Text),
        ("table", b"a;b;c\n1;2;3\n4;5;6\n7;8;9\n", DocumentType::Csv),
        ("empty.pdf", b"", DocumentType::Text),
        (
            "utf16.txt",
            &samples::utf16("Grüße, 世界"),
            DocumentType::Text,
        ),
    ];
    for (name, content, kind) in cases {
        assert_eq!(File::new(name, content).kind(), Some(kind), "{name}");
    }
}

#[test]
fn what_is_no_document_is_refused() {
    let archive = {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        archive
            .start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default())
            .expect("a part");
        archive.finish().expect("an archive").into_inner()
    };
    let cases: [(&str, &[u8]); 8] = [
        ("tool.txt", &samples::executable()),
        ("sheet.docx", &archive),
        ("picture.txt", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x01"),
        ("photo.md", b"\xFF\xD8\xFF\xE0\0\x10JFIF\0"),
        (
            "drawing.txt",
            b"<?xml version=\"1.0\"?><svg xmlns=\"x\"></svg>",
        ),
        ("old.doc", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0"),
        ("zeros.txt", &[0; 300]),
        ("letter.txt", b"{\\rtf1\\ansi Hello}"),
    ];
    for (name, content) in cases {
        assert_eq!(File::new(name, content).kind(), None, "{name}");
    }
}

#[tokio::test]
async fn a_book_of_300_pages_knows_them_all() {
    let extracted = File::new("book.pdf", pdf::bytes(pdf::numbered(300)))
        .extract()
        .await
        .expect("a text");
    assert_eq!(extracted.pages.len(), 300);
    let text: Vec<char> = extracted.text.chars().collect();
    for (page, start) in extracted.pages.iter().enumerate() {
        let expected = format!("This is page {} of the book.", page + 1);
        let found: String = text[*start..].iter().take(expected.len()).collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn the_outline_of_a_pdf_gives_its_headings() {
    let page = |title: &str, words: &str| vec![(title.to_owned(), 18), (words.to_owned(), 11)];
    let pages = [page("One", "First words."), page("Two", "Second words.")];
    let outline = [("One", 0), ("Second words", 1), ("Not on the page", 1)];
    let file = File::new("a.pdf", pdf::bytes(pdf::document(&pages, &outline)));
    let extracted = file.extract().await.expect("a text");
    assert_eq!(extracted.text, "One\nFirst words.\n\nTwo\nSecond words.");
    let told: Vec<_> = extracted
        .headings
        .iter()
        .map(|h| (h.at, h.title.as_str()))
        .collect();
    assert_eq!(
        told,
        [(0, "One"), (18, "Not on the page"), (22, "Second words")]
    );
}

#[tokio::test]
async fn a_word_document_keeps_its_structure() {
    let pieces = [
        Piece::Heading(1, "Manual"),
        Piece::Words("Fish & chips < 5 €."),
        Piece::Heading(2, "Parts"),
        Piece::Item("one"),
        Piece::Item("two"),
        Piece::Table(&[&["Part", "Bar"], &["Seal", "12"]]),
    ];
    let extracted = File::new("a.docx", samples::docx::document(&pieces))
        .extract()
        .await
        .expect("a text");
    assert_eq!(
        extracted.text,
        "Manual\n\nFish & chips < 5 €.\n\nParts\n\n- one\n- two\n\nPart | Bar\nSeal | 12"
    );
    let paths: Vec<_> = chunk(&extracted)
        .into_iter()
        .map(|chunk| chunk.heading_path.join(" > "))
        .collect();
    assert_eq!(paths, ["Manual > Parts"]);
}

#[tokio::test]
async fn a_text_of_20_megabytes_is_read_and_cut() {
    let text = samples::long_text(20 << 20);
    let extracted = File::new("long.txt", &text)
        .extract()
        .await
        .expect("a text");
    assert_eq!(extracted.text, text);
    let chunks = chunk(&extracted);
    assert!(chunks.len() > 10_000);
    assert_eq!(
        chunks.last().map(|chunk| chunk.char_end),
        Some(text.trim_end().len())
    );
}

#[tokio::test]
async fn a_pdf_that_only_its_owner_has_locked_is_read() {
    let extracted = File::new("a.pdf", pdf::encrypted(""))
        .extract()
        .await
        .expect("a text");
    assert!(extracted.text.contains("This is page 2 of the book."));
}

#[tokio::test]
async fn files_without_text_say_why() {
    let whole = pdf::bytes(pdf::numbered(50));
    let docx = samples::docx::document(&[Piece::Words("words")]);
    let empty = File::new("empty.txt", "").extract().await;
    assert_eq!(empty, Err(ExtractFault::Empty));
    let locked = File::new("locked.pdf", pdf::encrypted("secret"))
        .extract()
        .await;
    assert_eq!(locked, Err(ExtractFault::Encrypted));
    let scanned = File::new("scan.pdf", pdf::image_only()).extract().await;
    assert_eq!(scanned, Err(ExtractFault::NoText));
    for (name, content) in [
        ("cut.pdf", &whole[..whole.len() / 2]),
        ("cut.docx", &docx[..docx.len() / 2]),
    ] {
        let cut = File::new(name, content).extract().await;
        assert!(
            matches!(cut, Err(ExtractFault::Broken(_))),
            "{name}: {cut:?}"
        );
    }
}
