//! Documents to ingest: texts of made-up words, used as unevenly as real ones, in sentences,
//! paragraphs and sections. The same seed gives the same texts; different seeds share no passage.

use std::fmt::Write;

use rand::{RngExt, SeedableRng, rngs::SmallRng};

/// Bytes of text that make a chunk of 400 estimated tokens, less what the next one repeats.
pub const BYTES_PER_CHUNK: usize = 1370;

/// Different words.
const WORDS: usize = 8000;

/// A document.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// Makes texts.
pub struct Writer {
    random: SmallRng,
    words: Vec<String>,
}

impl Writer {
    /// A writer of its own vocabulary and turns.
    pub fn new(seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(7);
        let words = (0..WORDS).map(|rank| word(&mut random, rank)).collect();
        Self {
            random: SmallRng::seed_from_u64(seed),
            words,
        }
    }

    /// Documents that make about `chunks` chunks, from some few to some hundred each.
    pub fn files(&mut self, chunks: usize) -> Vec<File> {
        let (mut files, mut left) = (Vec::new(), chunks);
        while left > 0 {
            let size = self.random.random_range(0.0..1.0_f64);
            // Most are short, few are long: 5 to 200 chunks, 50 on average.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 5 and 200"
            )]
            let size = ((5.0 * 40.0_f64.powf(size)) as usize).min(left);
            let (number, format) = (files.len(), if files.len() % 2 == 0 { "txt" } else { "md" });
            files.push(File {
                name: format!("document-{number:05}.{format}"),
                text: self.text(size * BYTES_PER_CHUNK, format == "md"),
            });
            left -= size;
        }
        files
    }

    /// A text of about so many bytes, with a heading every ten thousand if there are to be any.
    pub fn text(&mut self, bytes: usize, headings: bool) -> String {
        let mut text = String::with_capacity(bytes + 200);
        let mut section = 0;
        while text.len() < bytes {
            if headings && text.len() >= section * 10_000 {
                section += 1;
                let title = self.sentence(4);
                writeln!(text, "## {title}\n").expect("a string takes everything");
            }
            for _ in 0..self.random.random_range(3..8) {
                let words = self.random.random_range(6..20);
                let sentence = self.sentence(words);
                text.push_str(&sentence);
                text.push_str(". ");
            }
            text.push_str("\n\n");
        }
        text
    }

    /// So many words.
    pub fn sentence(&mut self, words: usize) -> String {
        let mut sentence = String::new();
        for _ in 0..words {
            if !sentence.is_empty() {
                sentence.push(' ');
            }
            sentence.push_str(self.pick());
        }
        sentence
    }

    /// Four words that are neither in every text nor in hardly any.
    pub fn question(&mut self) -> String {
        let ranks: [usize; 4] = std::array::from_fn(|_| self.random.random_range(50..2000));
        ranks.map(|rank| self.words[rank].as_str()).join(" ")
    }

    /// A word, the one of rank n about n times rarer than the first.
    fn pick(&mut self) -> &str {
        let most = (super::float(WORDS)).ln();
        let rank = self.random.random_range(0.0..most).exp();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most the number of words"
        )]
        let rank = rank as usize - 1;
        &self.words[rank.min(WORDS - 1)]
    }
}

/// A word of syllables; frequent ones are short.
fn word(random: &mut SmallRng, rank: usize) -> String {
    const ONSETS: [&str; 12] = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t"];
    const VOWELS: [&str; 6] = ["a", "e", "i", "o", "u", "ei"];
    const CODAS: [&str; 6] = ["", "n", "r", "st", "l", ""];
    let syllables = if rank < 60 { 1 } else { 2 + rank % 3 };
    let mut word = String::new();
    for _ in 0..syllables {
        for part in [&ONSETS[..], &VOWELS[..], &CODAS[..]] {
            word.push_str(part[random.random_range(0..part.len())]);
        }
    }
    word
}
