//! What a download is saved as: `Content-Disposition` by RFC 6266, with the name in full by RFC 8187
//! and once more in plain letters for programs that do not know that.

use std::fmt::Write as _;

use actix_web::http::header;

/// A file to be saved under this name, and never shown in place.
pub fn attachment(name: &str) -> (header::HeaderName, String) {
    let mut value = format!(
        "attachment; filename=\"{}\"; filename*=UTF-8''",
        plain(name)
    );
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            // A text takes any byte.
            let _ = write!(value, "%{byte:02X}");
        }
    }
    (header::CONTENT_DISPOSITION, value)
}

/// The name without what would have to be escaped: readers of quoted texts differ.
fn plain(name: &str) -> String {
    let plain = |char: char| match char {
        '"' | '\\' | '%' => '_',
        ' '..='~' => char,
        _ => '_',
    };
    name.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_in_full_and_in_plain_letters() {
        let value = |name: &str| attachment(name).1;
        assert_eq!(
            value("plan.md"),
            "attachment; filename=\"plan.md\"; filename*=UTF-8''plan.md"
        );
        assert_eq!(
            value("a \"b\"; 100%.txt"),
            "attachment; filename=\"a _b_; 100_.txt\"; filename*=UTF-8''a%20%22b%22%3B%20100%25.txt"
        );
        assert_eq!(
            value("Übung\r\nX: y.txt"),
            "attachment; filename=\"_bung__X: y.txt\"; filename*=UTF-8''%C3%9Cbung%0D%0AX%3A%20y.txt"
        );
    }
}
