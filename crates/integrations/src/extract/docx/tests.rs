use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

fn package(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .expect("a part");
        archive.write_all(content.as_bytes()).expect("its content");
    }
    archive.finish().expect("an archive").into_inner()
}

fn document(body: &str) -> Vec<u8> {
    package(&[("word/document.xml", &wrapped(body))])
}

fn wrapped(body: &str) -> String {
    format!("<w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>")
}

fn paragraph(properties: &str, words: &str) -> String {
    format!("<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>")
}

fn text(body: &str) -> String {
    extract(&document(body)).expect("there is text").text
}

#[test]
fn headings_are_told_by_style_by_its_base_by_its_name_or_by_outline_level() {
    let styles = "<w:styles xmlns:w=\"w\">\
        <w:style w:styleId=\"berschrift1\"><w:name w:val=\"heading 1\"/></w:style>\
        <w:style w:styleId=\"Mine\"><w:name w:val=\"Mine\"/><w:basedOn w:val=\"berschrift1\"/></w:style>\
        <w:style w:styleId=\"Deep\"><w:name w:val=\"x\"/><w:pPr><w:outlineLvl w:val=\"2\"/></w:pPr></w:style>\
        <w:style w:styleId=\"Body\"><w:name w:val=\"Body\"/></w:style></w:styles>";
    let body = [
        paragraph("<w:pStyle w:val=\"berschrift1\"/>", "One"),
        paragraph("<w:pStyle w:val=\"Body\"/>", "Words."),
        paragraph("<w:pStyle w:val=\"Mine\"/>", "Two"),
        paragraph("<w:pStyle w:val=\"Deep\"/>", "Three"),
        paragraph("<w:outlineLvl w:val=\"1\"/>", "Four"),
        paragraph("<w:pStyle w:val=\"Heading4\"/>", "Five"),
        paragraph(
            "<w:pStyle w:val=\"Mine\"/><w:outlineLvl w:val=\"9\"/>",
            "No heading",
        ),
    ];
    let parts = [
        ("word/styles.xml", styles),
        ("word/document.xml", &wrapped(&body.concat())),
    ];
    let extracted = extract(&package(&parts)).expect("there is text");
    assert_eq!(
        extracted.text,
        "One\n\nWords.\n\nTwo\n\nThree\n\nFour\n\nFive\n\nNo heading"
    );
    let told: Vec<_> = extracted
        .headings
        .iter()
        .map(|h| (h.at, h.level, h.title.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (0, 1, "One"),
            (13, 1, "Two"),
            (18, 3, "Three"),
            (25, 2, "Four"),
            (31, 4, "Five")
        ]
    );
}

#[test]
fn lists_have_marks_and_tables_have_rows() {
    let item = |words| {
        paragraph(
            "<w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"3\"/></w:numPr>",
            words,
        )
    };
    let cell = |content: &str| format!("<w:tc>{content}</w:tc>");
    let words = |words| cell(&paragraph("", words));
    let inner = format!("<w:tbl><w:tr>{}{}</w:tr></w:tbl>", words("x"), words("y"));
    let table = format!(
        "<w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>",
        words("Part"),
        words("Bar"),
        words("Seal"),
        cell(&(paragraph("", "12") + &inner)),
    );
    let body = [
        paragraph("", "Before"),
        item("first"),
        item("second"),
        table,
        paragraph("", "After"),
    ];
    assert_eq!(
        text(&body.concat()),
        "Before\n\n- first\n- second\n\nPart | Bar\nSeal | 12 x | y\n\nAfter"
    );
}

#[test]
fn breaks_entities_and_tabs_are_characters_but_tab_stops_are_not() {
    let body = "<w:p><w:pPr><w:tabs><w:tab w:val=\"left\"/></w:tabs></w:pPr><w:r><w:t xml:space=\"preserve\">a &amp; </w:t>\
        <w:tab/><w:t>b&#x20AC;</w:t><w:br/><w:t>c</w:t></w:r></w:p>";
    assert_eq!(text(body), "a & \tb€\nc");
}

#[test]
fn deleted_text_field_codes_and_second_copies_are_left_out() {
    let body = "<w:p><w:r><w:t>kept</w:t></w:r><w:del><w:r><w:delText>gone</w:delText><w:t>gone</w:t></w:r></w:del>\
        <w:r><w:instrText>PAGE</w:instrText></w:r><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>\
        <mc:AlternateContent><mc:Choice><w:r><w:t> once</w:t></w:r></mc:Choice>\
        <mc:Fallback><w:r><w:t> twice</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>";
    assert_eq!(text(body), "kept once");
}

#[test]
fn a_note_stands_where_it_is_referred_to() {
    let body = "<w:p><w:r><w:t>Fact</w:t><w:footnoteReference w:id=\"2\"/><w:t>.</w:t></w:r></w:p>";
    let notes = "<w:footnotes xmlns:w=\"w\"><w:footnote w:id=\"2\"><w:p><w:r><w:t>Source &amp; year</w:t></w:r></w:p>\
        </w:footnote></w:footnotes>";
    let parts = [
        ("word/document.xml", wrapped(body)),
        ("word/footnotes.xml", notes.to_owned()),
    ];
    let parts: Vec<_> = parts
        .iter()
        .map(|(name, content)| (*name, content.as_str()))
        .collect();
    assert_eq!(
        extract(&package(&parts)).map(|e| e.text),
        Ok("Fact (Source & year).".into())
    );
}

#[test]
fn an_archive_that_swells_without_end_is_refused() {
    let bomb = document(&paragraph("", &" ".repeat(60 << 20)));
    assert!(bomb.len() < 100_000);
    assert!(matches!(extract(&bomb), Err(ExtractFault::TooLarge(_))));
}

#[test]
fn a_document_type_is_refused() {
    let xml = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><w:document><w:p><w:r><w:t>&a;</w:t></w:r></w:p></w:document>";
    assert!(matches!(
        extract(&package(&[("word/document.xml", xml)])),
        Err(ExtractFault::Broken(_))
    ));
}

#[test]
fn damaged_and_empty_documents_say_so() {
    let whole = document(&paragraph("", "words"));
    assert!(matches!(
        extract(&whole[..whole.len() / 2]),
        Err(ExtractFault::Broken(_))
    ));
    assert!(matches!(
        extract(&document("<w:p><w:r></w:q>&")),
        Err(ExtractFault::Broken(_) | ExtractFault::Empty)
    ));
    assert_eq!(extract(&document("<w:p/>")), Err(ExtractFault::Empty));
    let picture = package(&[
        ("word/document.xml", &wrapped("<w:p/>")),
        ("word/media/image1.png", "x"),
    ]);
    assert_eq!(extract(&picture), Err(ExtractFault::NoText));
}
