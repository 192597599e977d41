//! PDF files with one font and known words.

use lopdf::{
    Document, EncryptionState, EncryptionVersion, Object, ObjectId, Permissions, Stream,
    content::{Content, Operation},
    dictionary,
};

/// A line of a page and the size of its letters.
pub type Line = (String, i64);

/// A document of pages of lines. Each title of `outline` leads to its page, counted from 0.
pub fn document(pages: &[Vec<Line>], outline: &[(&str, usize)]) -> Document {
    let mut pdf = Document::with_version("1.5");
    let tree = pdf.new_object_id();
    let font = pdf.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
    });
    let resources = pdf.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let kids: Vec<ObjectId> = pages
        .iter()
        .map(|lines| page(&mut pdf, tree, resources, content(lines)))
        .collect();
    finish(&mut pdf, tree, &kids, outline);
    pdf
}

/// `count` pages, each of which says its number.
pub fn numbered(count: usize) -> Document {
    let page = |number| vec![(format!("This is page {number} of the book."), 12)];
    let pages: Vec<_> = (1..=count).map(page).collect();
    document(&pages, &[])
}

/// A page that shows a picture and no text.
pub fn image_only() -> Vec<u8> {
    let mut pdf = Document::with_version("1.5");
    let tree = pdf.new_object_id();
    let image = Stream::new(
        dictionary! {
            "Type" => "XObject", "Subtype" => "Image", "Width" => 8, "Height" => 8,
            "ColorSpace" => "DeviceGray", "BitsPerComponent" => 8,
        },
        (0..64).collect(),
    );
    let image = pdf.add_object(image);
    let resources = pdf.add_object(dictionary! { "XObject" => dictionary! { "I1" => image } });
    let page = page(
        &mut pdf,
        tree,
        resources,
        b"q 400 0 0 400 100 200 cm /I1 Do Q".to_vec(),
    );
    finish(&mut pdf, tree, &[page], &[]);
    bytes(pdf)
}

/// A page whose content unpacks to `size` bytes of nothing.
pub fn bomb(size: usize) -> Vec<u8> {
    let mut pdf = Document::with_version("1.5");
    let tree = pdf.new_object_id();
    let resources = pdf.add_object(dictionary! {});
    let page = page(&mut pdf, tree, resources, vec![b' '; size]);
    finish(&mut pdf, tree, &[page], &[]);
    pdf.compress();
    bytes(pdf)
}

/// A document that opens with `password`, which may be empty.
pub fn encrypted(password: &str) -> Vec<u8> {
    let mut pdf = numbered(2);
    let id = || Object::string_literal(*b"0123456789abcdef");
    pdf.trailer.set("ID", vec![id(), id()]);
    let version = EncryptionVersion::V2 {
        document: &pdf,
        owner_password: "owner",
        user_password: password,
        key_length: 128,
        permissions: Permissions::all(),
    };
    let state = EncryptionState::try_from(version).expect("a state");
    pdf.encrypt(&state).expect("an encrypted document");
    bytes(pdf)
}

/// The file.
pub fn bytes(mut pdf: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).expect("memory can be written to");
    bytes
}

/// Adds a page.
fn page(pdf: &mut Document, tree: ObjectId, resources: ObjectId, content: Vec<u8>) -> ObjectId {
    let content = pdf.add_object(Stream::new(dictionary! {}, content));
    pdf.add_object(dictionary! {
        "Type" => "Page", "Parent" => tree, "Contents" => content, "Resources" => resources,
        "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
    })
}

/// Sets lines below each other, a larger gap before larger letters.
fn content(lines: &[Line]) -> Vec<u8> {
    let mut operations = vec![Operation::new("BT", vec![])];
    let mut height = 780;
    for (words, size) in lines {
        height -= if *size > 12 { size * 2 } else { 15 };
        let place = [1, 0, 0, 1, 72, height].map(Object::from).to_vec();
        operations.push(Operation::new("Tf", vec!["F1".into(), (*size).into()]));
        operations.push(Operation::new("Tm", place));
        operations.push(Operation::new(
            "Tj",
            vec![Object::string_literal(words.as_str())],
        ));
    }
    operations.push(Operation::new("ET", vec![]));
    Content { operations }.encode().expect("known operations")
}

/// Adds the tree of pages, the outline and the catalogue.
fn finish(pdf: &mut Document, tree: ObjectId, pages: &[ObjectId], outline: &[(&str, usize)]) {
    let kids: Vec<Object> = pages.iter().copied().map(Object::from).collect();
    let count = i64::try_from(pages.len()).expect("a count");
    pdf.objects.insert(
        tree,
        dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }.into(),
    );
    let mut next = None;
    for (title, page) in outline.iter().rev() {
        let mut item = dictionary! {
            "Title" => Object::string_literal(*title),
            "Dest" => vec![pages[*page].into(), "Fit".into()],
        };
        if let Some(next) = next {
            item.set("Next", Object::Reference(next));
        }
        next = Some(pdf.add_object(item));
    }
    let mut catalog = dictionary! { "Type" => "Catalog", "Pages" => tree };
    if let Some(first) = next {
        let outlines = pdf.add_object(dictionary! { "Type" => "Outlines", "First" => first });
        catalog.set("Outlines", outlines);
    }
    let catalog = pdf.add_object(catalog);
    pdf.trailer.set("Root", catalog);
}
