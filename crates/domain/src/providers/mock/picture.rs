//! A picture of one colour, as a PNG: what the mock paints.

use crate::providers::generate::Image;

/// Pixels of a side.
const SIDE: u32 = 16;

/// A square in the colour that the number names.
pub(super) fn paint(number: u64) -> Image {
    let [red, green, blue, ..] = number.to_be_bytes();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let size = SIDE.to_be_bytes();
    // Eight bits of red, green and blue; nothing else that the format could do.
    chunk(
        &mut bytes,
        *b"IHDR",
        &[&size[..], &size, &[8, 2, 0, 0, 0]].concat(),
    );
    let line = [&[0][..], &[red, green, blue].repeat(SIDE as usize)].concat();
    chunk(&mut bytes, *b"IDAT", &stored(&line.repeat(SIDE as usize)));
    chunk(&mut bytes, *b"IEND", &[]);
    Image {
        media_type: "image/png".into(),
        bytes,
    }
}

/// A chunk: its length, name, data, and the checksum of the last two (PNG specification, 5.3).
fn chunk(to: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or_default();
    let named = [&name[..], data].concat();
    to.extend(length.to_be_bytes());
    to.extend(&named);
    to.extend(crc(&named).to_be_bytes());
}

/// A zlib stream of one block that is not compressed (RFC 1950, RFC 1951 3.2.4). It holds at most
/// 65 535 bytes, far more than a small square has.
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or_default();
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(data);
    stream.extend(adler(data).to_be_bytes());
    stream
}

/// CRC-32 as PNG uses it (its specification, annex D).
fn crc(data: &[u8]) -> u32 {
    let step = |crc: u32| {
        if crc & 1 == 1 {
            (crc >> 1) ^ 0xEDB8_8320
        } else {
            crc >> 1
        }
    };
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    !data.iter().fold(u32::MAX, byte)
}

/// Adler-32 (RFC 1950, 9).
fn adler(data: &[u8]) -> u32 {
    let add = |(a, b): (u32, u32), byte: &u8| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    };
    let (a, b) = data.iter().fold((1, 0), add);
    (b << 16) | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_are_those_of_their_specifications() {
        assert_eq!(crc(b"123456789"), 0xCBF4_3926);
        assert_eq!(adler(b"Wikipedia"), 0x11E6_0398);
    }

    #[test]
    fn a_picture_is_a_png_of_its_colour() {
        let picture = paint(0x1122_3300_0000_0000);
        assert!(picture.bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
        assert!(
            picture
                .bytes
                .windows(6)
                .any(|pixels| pixels == [0x11, 0x22, 0x33, 0x11, 0x22, 0x33])
        );
        assert_ne!(picture.bytes, paint(0).bytes);
    }
}
