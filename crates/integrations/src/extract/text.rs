//! Plain text: which encoding its bytes are in, and the few characters that are taken out.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use domain::documents::{ExtractFault, Extracted};
use encoding_rs::{Encoding, UTF_8};

use super::{
    MAX_CHARS,
    draft::{is_kept, too_many_chars},
};

/// The text as it stands.
pub fn extract(bytes: &[u8]) -> Result<Extracted, ExtractFault> {
    let text = read(bytes, None)?;
    Ok(Extracted {
        text,
        ..Extracted::default()
    })
}

/// Decodes a whole file and cleans it; `declared` is the encoding the file names, if any.
pub fn read(bytes: &[u8], declared: Option<&'static Encoding>) -> Result<String, ExtractFault> {
    let text = clean(&decode(bytes, declared));
    if text.trim().is_empty() {
        return Err(ExtractFault::Empty);
    }
    if text.len() > MAX_CHARS && text.chars().count() > MAX_CHARS {
        return Err(too_many_chars());
    }
    Ok(text)
}

/// Decodes bytes: by their byte order mark, else as UTF-8 if they are, else as declared, else as
/// their statistics suggest. Never fails: what cannot be decoded becomes `U+FFFD`.
pub fn decode<'a>(bytes: &'a [u8], declared: Option<&'static Encoding>) -> Cow<'a, str> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let encoding = declared.filter(|declared| *declared != UTF_8);
    encoding
        .unwrap_or_else(|| guess(bytes))
        .decode_without_bom_handling(bytes)
        .0
}

/// The encoding a browser would take.
fn guess(bytes: &[u8]) -> &'static Encoding {
    if let Err(error) = std::str::from_utf8(bytes)
        && (error.error_len().is_none() || error.valid_up_to() * 100 > bytes.len() * 99)
    {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Line ends become `\n`, page breaks too, and control characters go.
pub fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\u{B}' | '\u{C}' | '\u{85}' => clean.push('\n'),
            '\u{FEFF}' => {}
            char if is_kept(char) => clean.push(char),
            _ => {}
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Result<String, ExtractFault> {
        extract(bytes).map(|extracted| extracted.text)
    }

    #[test]
    fn line_ends_are_one_character_and_control_characters_go() {
        assert_eq!(text(b"a\r\nb\rc\0d\x07\x0Ce"), Ok("a\nb\ncd\ne".into()));
    }

    #[test]
    fn byte_order_marks_decide_and_are_not_text() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "\u{FEFF}"
                .encode_utf16()
                .chain(text.encode_utf16())
                .flat_map(bytes)
                .collect()
        };
        assert_eq!(text("\u{FEFF}Grüße".as_bytes()), Ok("Grüße".into()));
        assert_eq!(
            text(&utf16("Grüße 提示", u16::to_le_bytes)),
            Ok("Grüße 提示".into())
        );
        assert_eq!(
            text(&utf16("Grüße 提示", u16::to_be_bytes)),
            Ok("Grüße 提示".into())
        );
    }

    #[test]
    fn older_encodings_are_recognised() {
        let latin = b"Die Stra\xDFe nach S\xFCden f\xFChrt \xFCber die Br\xFCcke.";
        assert_eq!(
            text(latin),
            Ok("Die Straße nach Süden führt über die Brücke.".into())
        );
        let (shift_jis, _, _) =
            encoding_rs::SHIFT_JIS.encode("日本語の文章はこのように書かれています。");
        assert_eq!(
            text(&shift_jis),
            Ok("日本語の文章はこのように書かれています。".into())
        );
    }

    #[test]
    fn one_bad_byte_does_not_make_a_utf_8_text_another_encoding() {
        let mut bytes = "Grüße ".repeat(100).into_bytes();
        bytes.push(0xFF);
        assert_eq!(
            text(&bytes),
            Ok(format!("{}\u{FFFD}", "Grüße ".repeat(100)))
        );
    }

    #[test]
    fn white_space_alone_is_an_empty_file() {
        assert_eq!(text(b" \r\n\t\0"), Err(ExtractFault::Empty));
    }
}
