//! Word documents of headings, paragraphs, items and tables.

use std::io::{Cursor, Write};

use zip::{ZipWriter, write::SimpleFileOptions};

/// A piece of a document.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// A heading and its depth, from 1.
    Heading(u8, &'a str),
    /// A paragraph.
    Words(&'a str),
    /// An item of a list.
    Item(&'a str),
    /// A table by its rows.
    Table(&'a [&'a [&'a str]]),
}

/// The file.
pub fn document(pieces: &[Piece<'_>]) -> Vec<u8> {
    let body: String = pieces.iter().map(piece).collect();
    package(&format!("<w:body>{body}<w:sectPr/></w:body>"))
}

/// A document that unpacks to `size` bytes of one paragraph.
pub fn bomb(size: usize) -> Vec<u8> {
    let words = "0".repeat(size);
    package(&format!(
        "<w:body><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:body>"
    ))
}

/// The parts every Word document has, around a body.
fn package(body: &str) -> Vec<u8> {
    let main = format!("{DECLARATION}<w:document xmlns:w=\"{NAMESPACE}\">{body}</w:document>");
    let parts = [
        ("[Content_Types].xml", CONTENT_TYPES.to_owned()),
        ("_rels/.rels", RELATIONSHIPS.to_owned()),
        ("word/_rels/document.xml.rels", PARTS.to_owned()),
        ("word/document.xml", main),
        ("word/styles.xml", styles()),
        ("word/numbering.xml", numbering()),
    ];
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive
            .start_file(name, SimpleFileOptions::default())
            .expect("a part");
        archive
            .write_all(content.as_bytes())
            .expect("memory can be written to");
    }
    archive.finish().expect("a directory").into_inner()
}

/// A piece as XML.
fn piece(piece: &Piece<'_>) -> String {
    match piece {
        Piece::Heading(level, words) => {
            paragraph(&format!("<w:pStyle w:val=\"Heading{level}\"/>"), words)
        }
        Piece::Words(words) => paragraph("", words),
        Piece::Item(words) => paragraph(
            "<w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"1\"/></w:numPr>",
            words,
        ),
        Piece::Table(rows) => format!(
            "<w:tbl>{}</w:tbl>",
            rows.iter().map(|row| table_row(row)).collect::<String>()
        ),
    }
}

/// A row of a table.
fn table_row(cells: &[&str]) -> String {
    let cell = |words: &&str| format!("<w:tc>{}</w:tc>", paragraph("", words));
    format!(
        "<w:tr>{}</w:tr>",
        cells.iter().map(cell).collect::<String>()
    )
}

/// A paragraph with properties.
fn paragraph(properties: &str, words: &str) -> String {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space=\"preserve\">{words}</w:t></w:r></w:p>"
    )
}

/// The styles of three depths of headings.
fn styles() -> String {
    let style = |level: u8| {
        let size = 36 - 4 * level;
        format!(
            "<w:style w:type=\"paragraph\" w:styleId=\"Heading{level}\"><w:name w:val=\"heading {level}\"/>\
             <w:pPr><w:outlineLvl w:val=\"{}\"/></w:pPr><w:rPr><w:b/><w:sz w:val=\"{size}\"/></w:rPr></w:style>",
            level - 1
        )
    };
    let styles: String = (1..=3).map(style).collect();
    format!("{DECLARATION}<w:styles xmlns:w=\"{NAMESPACE}\">{styles}</w:styles>")
}

/// The one kind of list.
fn numbering() -> String {
    format!(
        "{DECLARATION}<w:numbering xmlns:w=\"{NAMESPACE}\"><w:abstractNum w:abstractNumId=\"0\"><w:lvl w:ilvl=\"0\">\
         <w:numFmt w:val=\"bullet\"/><w:lvlText w:val=\"-\"/></w:lvl></w:abstractNum>\
         <w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num></w:numbering>"
    )
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
const NAMESPACE: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const CONTENT_TYPES: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
<Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
<Default Extension=\"xml\" ContentType=\"application/xml\"/>\
<Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/>\
<Override PartName=\"/word/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml\"/>\
<Override PartName=\"/word/numbering.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.numbering+xml\"/>\
</Types>";
const RELATIONSHIPS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
<Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/>\
</Relationships>";
const PARTS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\
<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
<Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles\" Target=\"styles.xml\"/>\
<Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/numbering\" Target=\"numbering.xml\"/>\
</Relationships>";
