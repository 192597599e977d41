//! Words for keyword search: how a passage and a question are split so that both meet in a
//! `tsvector` of Postgres' `simple` configuration. Neither stems nor ranks.
//!
//! A word is a run of letters and digits, lower-cased, with compatibility forms folded (`ﬁ` is
//! `fi`, full-width `Ａ` is `a`); everything else separates. So `C++` is found as `c`,
//! `snake_case` as `snake` and `case`. Chinese, Japanese and Korean, written without spaces or
//! with long compounds, are cut into overlapping pairs of characters.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

mod common;

/// The most bytes of a word; what is longer is cut off. Postgres takes lexemes below 2 KB.
const MAX_WORD_BYTES: usize = 255;

/// The last place a `tsvector` can tell; what comes later is all there.
const LAST_PLACE: u16 = (1 << 14) - 1;

/// The most places a `tsvector` keeps of one word.
const MOST_PLACES: usize = 255;

/// The words of a text, each once, in the order of their bytes, with the places where it stands:
/// what a `tsvector` holds. Made here, since Postgres takes six times as long to find them again.
#[derive(Debug, Clone, Default)]
pub struct Lexemes {
    letters: String,
    words: Vec<Word>,
}

/// Where a word is written, and at which place of the text it stood, from 1.
#[derive(Debug, Clone, Copy)]
struct Word {
    start: usize,
    end: usize,
    place: u16,
}

impl Lexemes {
    /// Of this text.
    pub fn of(text: &str) -> Self {
        let mut letters = String::with_capacity(text.len());
        let mut words = Vec::with_capacity(text.len() / 6);
        let mut place = 0;
        each_word(text, |word| {
            let start = letters.len();
            letters.push_str(word);
            place = LAST_PLACE.min(place + 1);
            words.push(Word {
                start,
                end: letters.len(),
                place,
            });
        });
        words.sort_unstable_by(|a, b| {
            let by_letters = letters[a.start..a.end].cmp(&letters[b.start..b.end]);
            by_letters.then(a.place.cmp(&b.place))
        });
        Self { letters, words }
    }

    /// Each word and its places, growing.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Vec<u16>)> {
        let written = |word: &Word| &self.letters[word.start..word.end];
        self.words
            .chunk_by(move |a, b| written(a) == written(b))
            .map(move |same| {
                let mut places: Vec<u16> = same.iter().map(|word| word.place).collect();
                places.dedup();
                places.truncate(MOST_PLACES);
                (written(&same[0]), places)
            })
    }
}

/// The distinct words of a question in their order, without those that every text has (`the`,
/// `is`) unless there are no others. None holds a character that means something in a `tsquery`.
pub fn query_terms(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut words = Vec::new();
    each_word(text, |word| {
        if seen.insert(word.to_owned()) {
            words.push(word.to_owned());
        }
    });
    if words.iter().any(|word| !is_common(word)) {
        words.retain(|word| !is_common(word));
    }
    words
}

/// Whether a word is so common in its language that finding it tells nothing.
pub(crate) fn is_common(word: &str) -> bool {
    common::WORDS.binary_search(&word).is_ok()
}

/// Whether a character belongs to Chinese, Japanese or Korean writing.
pub(crate) fn is_cjk(char: char) -> bool {
    matches!(u32::from(char),
        0x1100..=0x11FF | 0x2E80..=0x9FFF | 0xA960..=0xA97F | 0xAC00..=0xD7FF
        | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFFEF | 0x1B000..=0x1B16F
        | 0x20000..=0x3FFFF)
}

/// What a character is to the splitter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Cjk,
    Separator,
}

/// Letters and digits, and whether they are cut into pairs.
fn kind(char: char) -> Kind {
    match char {
        'a'..='z' | '0'..='9' => Kind::Letter,
        _ if char.is_ascii() || !char.is_alphanumeric() => Kind::Separator,
        _ if is_cjk(char) => Kind::Cjk,
        _ => Kind::Letter,
    }
}

/// Gives the words of a text one after the other.
pub(crate) fn each_word(text: &str, mut give: impl FnMut(&str)) {
    if text.is_ascii() {
        return split(
            text.chars().map(|char| char.to_ascii_lowercase()),
            &mut give,
        );
    }
    let final_sigma = |char| if char == 'ς' { 'σ' } else { char };
    split(
        text.nfkc().flat_map(char::to_lowercase).map(final_sigma),
        &mut give,
    );
}

/// Collects runs of one kind of character and hands them over.
fn split(chars: impl Iterator<Item = char>, give: &mut impl FnMut(&str)) {
    let (mut run, mut run_kind) = (String::new(), Kind::Separator);
    for char in chars {
        let kind = match kind(char) {
            Kind::Separator if run_kind == Kind::Letter && is_mark(char) => continue,
            kind => kind,
        };
        if kind != run_kind {
            give_run(&run, run_kind, give);
            run.clear();
            run_kind = kind;
        }
        if kind != Kind::Separator {
            run.push(char);
        }
    }
    give_run(&run, run_kind, give);
}

/// Accents that no composed letter exists for; dropping them keeps the word whole.
fn is_mark(char: char) -> bool {
    unicode_normalization::char::is_combining_mark(char)
}

/// Hands a run over as a word, or as pairs of characters.
fn give_run(run: &str, kind: Kind, give: &mut impl FnMut(&str)) {
    match kind {
        Kind::Separator => {}
        Kind::Letter => {
            let word = &run[..floor_boundary(run, MAX_WORD_BYTES)];
            let (number, rest) = word.split_at(power_of_ten(word));
            [number, rest]
                .into_iter()
                .filter(|part| !part.is_empty())
                .for_each(give);
        }
        Kind::Cjk => give_pairs(run, give),
    }
}

/// How much of a word is a number like `12e4`: Postgres takes it for one and starts a new word
/// behind it, so that `12e4ab`, half of a commit's hash perhaps, must be two words here as well.
fn power_of_ten(word: &str) -> usize {
    let digits = |from: usize| word[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mantissa = digits(0);
    if mantissa == 0 || !word[mantissa..].starts_with('e') {
        return 0;
    }
    match digits(mantissa + 1) {
        0 => 0,
        exponent => mantissa + 1 + exponent,
    }
}

/// The last place up to `at` that lies between two characters.
pub(crate) fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// `東京都` is given as `東京` and `京都`, a single character as itself.
fn give_pairs(run: &str, give: &mut impl FnMut(&str)) {
    let starts: Vec<usize> = run
        .char_indices()
        .map(|(at, _)| at)
        .chain([run.len()])
        .collect();
    if let [start, end] = starts[..] {
        return give(&run[start..end]);
    }
    for ends in starts.windows(3) {
        give(&run[ends[0]..ends[2]]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn searchable(text: &str) -> String {
        let mut words = Vec::new();
        each_word(text, |word| words.push(word.to_owned()));
        words.join(" ")
    }

    fn lexemes(text: &str) -> Vec<(String, Vec<u16>)> {
        let lexemes = Lexemes::of(text);
        lexemes
            .iter()
            .map(|(word, places)| (word.to_owned(), places))
            .collect()
    }

    #[test]
    fn each_word_is_kept_once_with_its_places() {
        let expected = [
            ("be", vec![2, 6]),
            ("not", vec![4]),
            ("or", vec![3]),
            ("to", vec![1, 5]),
        ];
        assert_eq!(
            lexemes("To be, or not to be?"),
            expected.map(|(word, places)| (word.to_owned(), places))
        );
        assert!(lexemes("… ?!").is_empty());
    }

    #[test]
    fn places_are_no_more_than_postgres_takes() {
        let endless = lexemes(&"a b ".repeat(20_000));
        let [(_, a), (_, b)] = &endless[..] else {
            panic!("two words: {endless:?}");
        };
        assert_eq!((a.len(), b.len()), (MOST_PLACES, MOST_PLACES));
        let late = lexemes(&("a ".repeat(20_000) + "b c"));
        assert_eq!(
            late[1..],
            [
                ("b".into(), vec![LAST_PLACE]),
                ("c".into(), vec![LAST_PLACE])
            ]
        );
    }

    #[test]
    fn words_are_lower_case_letters_and_digits() {
        assert_eq!(
            searchable("The Cat's snake_case, C++ & v2.0-beta!"),
            "the cat s snake case c v2 0 beta"
        );
        assert_eq!(searchable("ÉCOLE Straße ΣΊΣΥΦΟΣ"), "école straße σίσυφοσ");
        assert_eq!(searchable("  \n'\\&|!():*<> "), "");
    }

    #[test]
    fn the_same_word_in_another_form_is_the_same_word() {
        assert_eq!(
            searchable("con\u{FB01}g cafe\u{301} ＡＢＣ"),
            "config café abc"
        );
    }

    #[test]
    fn chinese_japanese_and_korean_become_pairs() {
        assert_eq!(searchable("東京都に v2"), "東京 京都 都に v2");
        assert_eq!(searchable("水 and 한국어"), "水 and 한국 국어");
    }

    #[test]
    fn a_question_gives_each_telling_word_once() {
        assert_eq!(
            query_terms("What is the boiling point? The BOILING point of 水!"),
            ["boiling", "point", "水"]
        );
        assert_eq!(query_terms("to be or not to be"), ["to", "be", "or", "not"]);
        assert!(query_terms("?! —").is_empty());
    }

    #[test]
    fn a_number_with_an_exponent_is_a_word_as_it_is_to_postgres() {
        assert_eq!(
            searchable("12e4ab e2e 1e5 3d2 2e"),
            "12e4 ab e2e 1e5 3d2 2e"
        );
    }

    #[test]
    fn an_endless_word_is_cut_off() {
        assert_eq!(searchable(&"é".repeat(1000)).len(), 254);
    }

    #[test]
    fn common_words_are_sorted_for_the_search() {
        assert!(common::WORDS.is_sorted_by(|a, b| a < b));
    }

    proptest! {
        #[test]
        fn lexemes_are_sorted_and_their_places_grow(text in "\\PC{0,80}") {
            let lexemes = lexemes(&text);
            prop_assert!(lexemes.is_sorted_by(|a, b| a.0.as_bytes() < b.0.as_bytes()));
            prop_assert!(lexemes.iter().all(|(_, places)| places.is_sorted_by(|a, b| a < b)));
        }

        #[test]
        fn words_hold_nothing_but_letters_and_digits(text in "\\PC{0,80}") {
            let words = searchable(&text);
            prop_assert!(words.split(' ').all(|word| word.chars().all(char::is_alphanumeric)));
            prop_assert!(words.split(' ').all(|word| word.len() <= MAX_WORD_BYTES));
            prop_assert_eq!(searchable(&words), words, "splitting words again changes nothing");
        }
    }
}
