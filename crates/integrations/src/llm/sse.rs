//! Server-sent events, as far as providers use them: the payload of each event.
//!
//! One of them sends an error in the middle of a stream as a bare body without `data:`, so lines
//! that are no field of an event are collected too, and given back as a payload of their own.

/// Fields that mean nothing here; some providers name in `event` what the payload says as well.
const OTHER_FIELDS: [&str; 3] = ["event", "id", "retry"];

/// Cuts bytes, as they arrive, into payloads.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    data: String,
    bare: String,
}

impl Reader {
    /// The payloads that these bytes complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut payloads = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                payloads.extend(self.end_line());
            }
        }
        payloads
    }

    /// What is left when nothing more comes: an event without its empty line, or a bare body.
    pub(super) fn finish(&mut self) -> Vec<String> {
        let mut payloads = self.end_line();
        payloads.extend(self.end_event());
        payloads
    }

    fn end_line(&mut self) -> Vec<String> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line
            .trim_end_matches(['\r', '\n'])
            .trim_start_matches('\u{feff}');
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field == "data" {
            join(&mut self.data, value.strip_prefix(' ').unwrap_or(value));
        } else if !field.is_empty() && !OTHER_FIELDS.contains(&field) {
            join(&mut self.bare, line);
        }
        Vec::new()
    }

    fn end_event(&mut self) -> Vec<String> {
        let payloads = [
            std::mem::take(&mut self.data),
            std::mem::take(&mut self.bare),
        ];
        payloads
            .into_iter()
            .filter(|payload| !payload.is_empty())
            .collect()
    }
}

fn join(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payloads(stream: &str, size: usize) -> Vec<String> {
        let mut reader = Reader::default();
        let mut payloads: Vec<_> = stream
            .as_bytes()
            .chunks(size)
            .flat_map(|piece| reader.push(piece))
            .collect();
        payloads.extend(reader.finish());
        payloads
    }

    #[test]
    fn events_are_read_wherever_the_bytes_are_cut() {
        let stream = "\u{feff}: hello\r\nevent: x\ndata: {\"a\":\ndata: \"ü\"}\r\n\r\n\nid: 7\ndata:[DONE]\n\n: ping\n\n";
        for size in 1..stream.len() {
            assert_eq!(
                payloads(stream, size),
                ["{\"a\":\n\"ü\"}", "[DONE]"],
                "{size}"
            );
        }
    }

    #[test]
    fn an_error_without_a_field_is_a_payload() {
        let error = "{\n  \"error\": {\n    \"code\": 503\n  }\n}";
        let stream = format!("data: 1\n\n{error}\n");
        assert_eq!(payloads(&stream, 7), ["1", error]);
    }

    #[test]
    fn an_event_that_misses_its_empty_line_counts_at_the_end() {
        assert_eq!(payloads("data: 1", 3), ["1"]);
        assert!(payloads("", 1).is_empty());
    }
}
