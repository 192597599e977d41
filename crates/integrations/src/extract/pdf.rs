//! PDF: the text page by page, with the outline as headings. A page that cannot be read is left
//! empty as long as others can. Pictures of text are not read.

mod outline;
mod repair;

use std::panic::{AssertUnwindSafe, catch_unwind};

use domain::documents::{ExtractFault, Extracted};
use pdf_extract::{Document, Error, PlainTextOutput, output_doc_page};

use super::{broken, draft::Draft};

/// The text of all pages.
pub fn extract(bytes: &[u8]) -> Result<Extracted, ExtractFault> {
    let document = load(bytes)?;
    let pages = document.get_pages();
    if pages.is_empty() {
        return Err(broken("it has no pages"));
    }
    let texts: Vec<Option<String>> = pages
        .keys()
        .map(|number| page(&document, *number))
        .collect();
    if texts.iter().all(Option::is_none) {
        return Err(broken("none of its pages can be read"));
    }
    let mut draft = Draft::default();
    for text in &texts {
        draft.gap("\n\n")?;
        draft.page();
        draft.push(text.as_deref().unwrap_or_default())?;
    }
    let mut extracted = draft.finish(ExtractFault::NoText)?;
    extracted.headings = outline::headings(&document, &pages, &texts, &extracted.pages);
    Ok(extracted)
}

/// Opens the file; the parser may panic over broken ones.
fn load(bytes: &[u8]) -> Result<Document, ExtractFault> {
    let loaded = catch_unwind(|| Document::load_mem(bytes))
        .map_err(|_| broken("its structure cannot be followed"))?;
    match loaded {
        Ok(document) if document.is_encrypted() => Err(ExtractFault::Encrypted),
        Ok(document) => Ok(document),
        Err(
            Error::Decryption(_) | Error::InvalidPassword | Error::UnsupportedSecurityHandler(_),
        ) => Err(ExtractFault::Encrypted),
        Err(_) => Err(broken("its table of contents cannot be read")),
    }
}

/// The text of a page, if it can be read.
fn page(document: &Document, number: u32) -> Option<String> {
    let mut text = String::new();
    let read = || output_doc_page(document, &mut PlainTextOutput::new(&mut text), number);
    let read = catch_unwind(AssertUnwindSafe(read)).is_ok_and(|result| result.is_ok());
    (read || !text.trim().is_empty()).then(|| repair::lines(&text))
}
