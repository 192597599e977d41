//! Pictures that are shown to a model: which files are taken, told by their content. What a request
//! calls them is not believed, since browsers go by the name of a file.

use super::generate::Image;

/// The most bytes of one picture.
pub const MOST_BYTES: usize = 5 * 1024 * 1024;

/// The most bytes of all pictures of a request.
pub const MOST_BYTES_IN_ALL: usize = 10 * 1024 * 1024;

/// The most pictures of a request.
pub const MOST: usize = 8;

/// The picture in these bytes, if it is a PNG, JPEG, WebP or GIF.
pub fn recognised(bytes: Vec<u8>) -> Option<Image> {
    let media_type = media_type(&bytes)?.into();
    Some(Image { media_type, bytes })
}

/// The type of the picture that begins with these bytes, if it is one of the four.
pub fn media_type(start: &[u8]) -> Option<&'static str> {
    Some(match start {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => "image/png",
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "image/gif",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Option<String> {
        recognised(bytes.to_vec()).map(|image| image.media_type)
    }

    #[test]
    fn a_picture_is_what_its_content_says() {
        for (bytes, media_type) in [
            (&b"\x89PNG\r\n\x1a\nIHDR"[..], "image/png"),
            (b"\xFF\xD8\xFF\xE0\0\x10JFIF", "image/jpeg"),
            (b"GIF89a\x01\0\x01\0", "image/gif"),
            (b"RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        ] {
            assert_eq!(kind(bytes).as_deref(), Some(media_type));
        }
    }

    #[test]
    fn what_is_no_picture_of_these_is_none() {
        for bytes in [
            &b""[..],
            b"%PDF-1.7",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"RIFF\x24\0\0\0WAVEfmt ",
            b"\x89PNG",
            b"\0\0\0\x18ftypheic",
        ] {
            assert_eq!(kind(bytes), None, "{bytes:?}");
        }
    }
}
