//! Documents to upload: of mixed type and size, the same for the same seed. Each says one sentence
//! that no other does; many share sections with others, word for word.

use std::fmt::Write as _;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::samples::{
    docx::{self, Piece},
    pdf,
};

/// A document and how to know it again.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its file name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// A sentence that is in no other.
    pub marker: String,
}

/// Words that sentences are made of.
const WORDS: &[&str] = &[
    "amber",
    "anchor",
    "basin",
    "beacon",
    "birch",
    "bridge",
    "canyon",
    "cedar",
    "cinder",
    "clover",
    "copper",
    "coral",
    "current",
    "delta",
    "dune",
    "ember",
    "estuary",
    "fathom",
    "fern",
    "fjord",
    "flint",
    "frost",
    "garnet",
    "glacier",
    "granite",
    "grove",
    "harbour",
    "heath",
    "hollow",
    "iris",
    "island",
    "jasper",
    "juniper",
    "kelp",
    "lagoon",
    "lantern",
    "larch",
    "ledge",
    "lichen",
    "limestone",
    "marsh",
    "meadow",
    "mesa",
    "mist",
    "moraine",
    "moss",
    "nettle",
    "oak",
    "orchard",
    "osprey",
    "pebble",
    "pine",
    "plateau",
    "quarry",
    "quartz",
    "rapids",
    "reed",
    "reef",
    "ridge",
    "rowan",
    "saffron",
    "sandbar",
    "shale",
    "shoal",
    "slate",
    "spruce",
    "steppe",
    "summit",
    "tarn",
    "thicket",
    "thistle",
    "tide",
    "timber",
    "tundra",
    "valley",
    "willow",
    "wren",
    "yarrow",
];

/// How many sections documents have in common.
const SHARED: usize = 8;

/// So many documents.
pub fn documents(seed: u64, count: usize) -> Vec<Sample> {
    let mut dice = StdRng::seed_from_u64(seed);
    let shared: Vec<String> = (0..SHARED).map(|_| section(&mut dice)).collect();
    (0..count)
        .map(|number| sample(&mut dice, number, &shared))
        .collect()
}

fn sample(dice: &mut StdRng, number: usize, shared: &[String]) -> Sample {
    let marker = format!("Its secret word is quokka{:08x}.", dice.random::<u32>());
    let sections = match dice.random_range(0..20) {
        0 => dice.random_range(150..600),
        1..6 => dice.random_range(20..100),
        _ => dice.random_range(1..10),
    };
    let mut texts: Vec<String> = (0..sections).map(|_| section(dice)).collect();
    if number.is_multiple_of(2) {
        texts.push(shared[dice.random_range(0..shared.len())].clone());
    }
    let place = dice.random_range(0..texts.len());
    texts.insert(place, format!("This is document {number}. {marker}"));
    let (ending, bytes) = written(number, &texts);
    Sample {
        name: format!("document-{number}.{ending}"),
        bytes,
        marker,
    }
}

/// About as many words as a passage takes.
fn section(dice: &mut StdRng) -> String {
    let mut text = String::new();
    for _ in 0..dice.random_range(10..25) {
        let words: Vec<&str> = (0..dice.random_range(6..14))
            .map(|_| WORDS[dice.random_range(0..WORDS.len())])
            .collect();
        let _ = write!(text, "The {}. ", words.join(" "));
    }
    text.trim_end().to_owned()
}

/// The sections as a file of the type whose turn it is.
fn written(number: usize, texts: &[String]) -> (&'static str, Vec<u8>) {
    match number % 7 {
        0 | 1 => ("md", markdown(texts).into()),
        2 => ("txt", texts.join("\n\n").into()),
        3 => ("html", html(texts).into()),
        4 => ("docx", word(texts)),
        5 => ("csv", csv(texts).into()),
        _ => ("pdf", portable(texts)),
    }
}

fn markdown(texts: &[String]) -> String {
    let sections = texts.iter().enumerate();
    let sections = sections.map(|(number, text)| format!("# Section {number}\n\n{text}\n"));
    sections.collect::<Vec<_>>().join("\n")
}

fn html(texts: &[String]) -> String {
    let sections = texts
        .iter()
        .map(|text| format!("<h2>Part</h2><p>{text}</p>"));
    let body: String = sections.collect();
    format!("<!doctype html><html><head><title>Chaos</title></head><body>{body}</body></html>")
}

fn word(texts: &[String]) -> Vec<u8> {
    let pieces = texts
        .iter()
        .flat_map(|text| [Piece::Heading(1, "Part"), Piece::Words(text)]);
    docx::document(&pieces.collect::<Vec<_>>())
}

fn csv(texts: &[String]) -> String {
    let rows = texts.iter().enumerate();
    let rows = rows.map(|(number, text)| format!("{number},\"{text}\""));
    format!("number,text\n{}\n", rows.collect::<Vec<_>>().join("\n"))
}

fn portable(texts: &[String]) -> Vec<u8> {
    let page = |text: &String| {
        let sentences = text.split_inclusive(". ");
        sentences
            .map(|sentence| (sentence.trim().to_owned(), 10))
            .collect()
    };
    pdf::bytes(pdf::document(
        &texts.iter().map(page).collect::<Vec<_>>(),
        &[],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_documents_and_another_makes_others() {
        let bytes = |seed| documents(seed, 20).into_iter().map(|sample| sample.bytes);
        // A zip archive holds the time it was made.
        let plain = |seed| {
            bytes(seed)
                .enumerate()
                .filter(|(number, _)| number % 7 != 4)
        };
        assert!(plain(1).eq(plain(1)));
        assert!(plain(1).zip(plain(2)).all(|(one, other)| one != other));
    }
}
