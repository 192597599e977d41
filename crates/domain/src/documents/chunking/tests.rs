use proptest::prelude::*;

use super::*;
use crate::documents::Heading;

fn plain(text: &str) -> Extracted {
    Extracted {
        text: text.to_owned(),
        ..Extracted::default()
    }
}

fn headed(text: &str, headings: &[(&str, u8)]) -> Extracted {
    let heading = |(title, level): &(&str, u8)| {
        let at = text.find(title).expect("the title stands in the text");
        Heading {
            at: text[..at].chars().count(),
            level: *level,
            title: (*title).to_owned(),
        }
    };
    Extracted {
        headings: headings.iter().map(heading).collect(),
        ..plain(text)
    }
}

fn slice(text: &str, start: usize, end: usize) -> String {
    text.chars().skip(start).take(end - start).collect()
}

/// What must hold of the chunks of any text.
fn check(extracted: &Extracted, chunks: &[Chunk]) {
    let text: Vec<char> = extracted.text.chars().collect();
    let mut covered = 0;
    let mut last_start = None;
    for (index, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk.index, index);
        assert!(last_start < Some(chunk.char_start), "starts grow");
        assert!(covered < chunk.char_end, "ends grow");
        assert!(
            text.get(covered..chunk.char_start)
                .unwrap_or_default()
                .iter()
                .all(|c| c.is_whitespace())
        );
        assert!(
            chunk
                .text
                .chars()
                .eq(text[chunk.char_start..chunk.char_end].iter().copied())
        );
        assert_eq!(chunk.text, chunk.text.trim());
        assert!(!chunk.text.is_empty() && chunk.text.len() <= MAX_CHUNK_BYTES);
        assert!(estimate_tokens(&chunk.text) <= WHOLE_TOKENS);
        (covered, last_start) = (chunk.char_end, Some(chunk.char_start));
    }
    assert!(
        text[covered..].iter().all(|c| c.is_whitespace()),
        "nothing is left out"
    );
}

#[test]
fn a_text_without_words_gives_no_chunks() {
    assert!(chunk(&plain("")).is_empty());
    assert!(chunk(&plain(" \n\t\u{3000} \n")).is_empty());
}

#[test]
fn a_short_text_is_one_chunk_without_the_white_space_around_it() {
    let chunks = chunk(&plain("\n\n  A short note.  \n"));
    assert_eq!(chunks.len(), 1);
    assert_eq!(
        (
            chunks[0].text.as_str(),
            chunks[0].char_start,
            chunks[0].char_end
        ),
        ("A short note.", 4, 17)
    );
}

#[test]
fn a_chunk_never_crosses_a_heading_and_knows_those_above_it() {
    let text = "# Manual\n\nFor all.\n\n## Safety\n\nWear gloves.\n\n## Use\n\nPress start.\n\n# Index\n\nNone.";
    let chunks = chunk(&headed(
        text,
        &[
            ("# Manual", 1),
            ("## Safety", 2),
            ("## Use", 2),
            ("# Index", 1),
        ],
    ));
    let told: Vec<_> = chunks
        .iter()
        .map(|c| (c.text.as_str(), c.heading_path.join(" > ")))
        .collect();
    assert_eq!(told.len(), 3);
    assert_eq!(
        told[0].0, "# Manual\n\nFor all.\n\n## Safety\n\nWear gloves.",
        "a remark joins what follows"
    );
    assert_eq!(told[0].1, "# Manual > ## Safety");
    assert_eq!(
        told[1],
        ("## Use\n\nPress start.", "# Manual > ## Use".to_owned())
    );
    assert_eq!(told[2], ("# Index\n\nNone.", "# Index".to_owned()));
}

#[test]
fn cuts_fall_between_paragraphs_if_there_are_any() {
    let paragraph = "Bees dance to tell where flowers are, and the others follow them there.\n\n";
    let chunks = chunk(&plain(&paragraph.repeat(60)));
    assert!(chunks.len() > 2);
    assert!(
        chunks
            .iter()
            .all(|c| c.text.ends_with("there.") && c.text.starts_with("Bees"))
    );
}

#[test]
fn a_long_paragraph_is_cut_between_sentences_and_overlaps() {
    let sentence = |n| format!("Sentence {n} says e.g. that rain falls\nand dries. ");
    let text = (0..200).map(sentence).collect::<Vec<_>>().concat();
    let chunks = chunk(&plain(&text));
    assert!(
        chunks
            .iter()
            .all(|c| c.text.starts_with("Sentence") && c.text.ends_with("dries."))
    );
    for pair in chunks.windows(2) {
        let shared = pair[0]
            .char_end
            .checked_sub(pair[1].char_start)
            .expect("they overlap");
        assert!(
            (100..=240).contains(&shared),
            "{shared} characters are shared"
        );
    }
}

#[test]
fn chinese_is_cut_behind_its_own_full_stops() {
    let text =
        "提示词应当具体、清楚，并且给出例子。模型只知道你写下的内容！你检查过了吗？".repeat(60);
    let chunks = chunk(&plain(&text));
    assert!(chunks.len() > 3);
    assert!(chunks.iter().all(|c| c.text.ends_with(['。', '！', '？'])));
    assert!(
        chunks
            .iter()
            .rev()
            .skip(1)
            .all(|c| estimate_tokens(&c.text) <= CHUNK_TOKENS)
    );
    check(&plain(&text), &chunks);
}

#[test]
fn one_endless_word_is_cut_into_bounded_pieces() {
    let text = "x".repeat(5_000_000);
    let chunks = chunk(&plain(&text));
    assert!(chunks.len() > 3000);
    assert!(chunks.iter().all(|c| c.text.len() <= MAX_CHUNK_BYTES));
    assert_eq!(chunks.last().map(|c| c.char_end), Some(5_000_000));
}

#[test]
fn a_hard_cut_leaves_accents_on_their_letters() {
    let chunks = chunk(&plain(&"e\u{301}".repeat(4000)));
    assert!(
        chunks
            .iter()
            .all(|c| !c.text.starts_with('\u{301}') || c.index > 0)
    );
    assert!(chunks.iter().all(|c| c.text.ends_with('\u{301}')));
}

#[test]
fn a_chunk_names_the_page_it_starts_on() {
    let page = "Every page of this book holds one sentence. ".repeat(20);
    let text = page.repeat(5);
    let length = page.chars().count();
    let extracted = Extracted {
        pages: (0..5).map(|n| n * length).collect(),
        ..plain(&text)
    };
    for chunk in chunk(&extracted) {
        assert_eq!(
            chunk.page,
            u32::try_from(chunk.char_start / length + 1).ok()
        );
    }
}

#[test]
fn headings_beyond_the_text_or_out_of_order_do_no_harm() {
    let heading = |at| Heading {
        at,
        level: 1,
        title: "x".into(),
    };
    let extracted = Extracted {
        headings: [9, 3, 3, 100, 11].map(heading).to_vec(),
        ..plain("one two three")
    };
    check(&extracted, &chunk(&extracted));
}

#[test]
fn a_large_text_is_cut_in_linear_time() {
    let text = "No character is counted from the beginning again, ever. ".repeat(100_000);
    let chunks = chunk(&plain(&text));
    assert_eq!(slice(&text, 0, chunks[0].char_end), chunks[0].text);
    assert!(chunks.len() > 3000);
}

#[test]
fn tokens_are_estimated_by_script() {
    assert_eq!(estimate_tokens(""), 0);
    assert_eq!(estimate_tokens("abcd"), 1);
    assert_eq!(estimate_tokens("abcde"), 2);
    assert_eq!(estimate_tokens("提示词"), 2);
}

/// Texts that try the cutter: few letters, many blanks, long words, several scripts.
fn awkward_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-c]{1,12}",
        3 => Just(" ".to_owned()),
        1 => Just("\n".to_owned()),
        1 => Just("\n\n".to_owned()),
        1 => Just(". ".to_owned()),
        1 => "[一-十]{1,40}。?",
        1 => "\\PC{0,6}",
        1 => "[x]{300,900}",
        1 => "[\u{1F600}-\u{1F610}]{1,300}",
        1 => "[ \t\u{3000}]{1,900}",
    ];
    proptest::collection::vec(piece, 0..160).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn chunks_cover_the_text_in_order_and_within_bounds(
        text in awkward_text(),
        headings in proptest::collection::vec((0..6000_usize, 1..5_u8), 0..6),
    ) {
        let heading = |(at, level)| Heading { at, level, title: "t".into() };
        let extracted = Extracted { headings: headings.into_iter().map(heading).collect(), ..plain(&text) };
        check(&extracted, &chunk(&extracted));
    }
}
