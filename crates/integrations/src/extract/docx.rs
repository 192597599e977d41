//! DOCX: paragraphs, headings by their style or outline level, lists, tables as rows, notes where
//! they are referred to. Deleted text, field codes and the second copy of text boxes are left out.

mod body;
mod package;
mod styles;

use domain::documents::{ExtractFault, Extracted};

use self::{
    body::{Body, notes},
    package::Package,
    styles::Styles,
};
use super::draft::Draft;

/// The document's text, without headers and footers.
pub fn extract(bytes: &[u8]) -> Result<Extracted, ExtractFault> {
    let mut package = Package::open(bytes)?;
    let styles = Styles::read(&mut package)?;
    let notes = notes(&mut package)?;
    let main = package.main_part()?;
    let mut draft = Draft::default();
    let mut body = Body::new(&styles, &notes, &mut draft);
    package.each_event(&main, |event| body.take(&event))?;
    draft.finish(if package.has_pictures() {
        ExtractFault::NoText
    } else {
        ExtractFault::Empty
    })
}

#[cfg(test)]
mod tests;
