//! Embeddings of the mock provider. They are lexical: texts that share words and parts of words
//! are near each other, so that search can be tried and tested without a key. They know no synonyms.

use crate::{
    documents::{
        estimate_tokens,
        terms::{each_word, is_common},
    },
    providers::{
        EMBEDDING_DIMENSIONS, Embedder, EmbeddingTask, Embeddings, PortFuture, ProviderError,
        normalise,
    },
};

/// What a word weighs by itself, before its length and its repetitions count.
const WORD: f32 = 1.0;
/// What a pair of words in their order weighs.
const PAIR: f32 = 0.4;
/// What three letters in a row weigh; they bring `refund` and `refunds` together.
const TRIGRAM: f32 = 0.28;
/// What a word weighs that every text has.
const COMMON: f32 = 0.05;

/// Embeds by words: see [`embed`].
#[derive(Debug, Clone, Copy, Default)]
pub struct MockEmbedder;

impl Embedder for MockEmbedder {
    fn name(&self) -> &'static str {
        "mock/lexical-1"
    }

    fn batch_size(&self) -> usize {
        100
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [&'a str],
        _task: EmbeddingTask,
    ) -> PortFuture<'a, Result<Embeddings, ProviderError>> {
        Box::pin(async move {
            let tokens: usize = texts.iter().map(|text| estimate_tokens(text)).sum();
            Ok(Embeddings {
                vectors: texts.iter().map(|text| embed(text)).collect(),
                tokens: tokens as u64,
                tokens_estimated: true,
            })
        })
    }
}

/// The vector of a text, of length one: its words, their order and their trigrams, each hashed to a
/// dimension and a sign, more often counting more but ever less, common words hardly at all.
/// Cosine distance is not defined for a vector of zeros, so a text without words is given the
/// first axis, which no other text comes near.
pub fn embed(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; EMBEDDING_DIMENSIONS];
    let mut features = features(text);
    features.sort_unstable_by_key(|feature| feature.hash);
    for same in features.chunk_by(|a, b| a.hash == b.hash) {
        let (bucket, sign) = place(same[0].hash);
        vector[bucket] += sign * same[0].weight * damped(same.len());
    }
    normalise(&mut vector);
    if vector.iter().all(|number| *number == 0.0) {
        vector[0] = 1.0;
    }
    vector
}

/// Something a text has, and how much it says.
#[derive(Clone, Copy)]
struct Feature {
    hash: u64,
    weight: f32,
}

/// What a text has, as often as it has it.
fn features(text: &str) -> Vec<Feature> {
    let mut features = Vec::with_capacity(text.len());
    let mut previous = None;
    each_word(text, |word| {
        let hash = fnv(0, word.as_bytes());
        let common = is_common(word);
        let weight = if common { COMMON } else { WORD * telling(word) };
        features.push(Feature { hash, weight });
        if common {
            return;
        }
        if let Some(previous) = previous.replace(hash) {
            features.push(Feature {
                hash: fnv(previous, word.as_bytes()),
                weight: PAIR,
            });
        }
        trigrams(word, &mut features);
    });
    features
}

/// Longer words are rarer, and say more.
fn telling(word: &str) -> f32 {
    match word.len() {
        0..=2 => 0.6,
        3..=5 => 1.0,
        6..=8 => 1.25,
        _ => 1.4,
    }
}

/// Every three letters of a word and of the space around it.
fn trigrams(word: &str, features: &mut Vec<Feature>) {
    let mut last = ['\0', ' '];
    for char in word.chars().chain([' ']) {
        if last[0] != '\0' {
            let mut bytes = [0; 12];
            for (place, char) in bytes.chunks_exact_mut(4).zip([last[0], last[1], char]) {
                place.copy_from_slice(&u32::from(char).to_le_bytes());
            }
            features.push(Feature {
                hash: fnv(3, &bytes),
                weight: TRIGRAM,
            });
        }
        last = [last[1], char];
    }
}

/// How much a feature counts that occurs `times`.
fn damped(times: usize) -> f32 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a chunk has no sixteen million words"
    )]
    let times = times as f32;
    times.sqrt()
}

/// The dimension and the sign of a feature. The first dimension is kept free.
fn place(hash: u64) -> (usize, f32) {
    let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
    let buckets = EMBEDDING_DIMENSIONS as u64 - 1;
    let bucket = 1 + (hash & 0xFFFF_FFFF) % buckets;
    (usize::try_from(bucket).unwrap_or_default(), sign)
}

/// FNV-1a, 64 bits, written out since stored vectors depend on it, and mixed at the end since its
/// high bits are poor for short inputs.
pub(super) fn fnv(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325 ^ seed.rotate_left(32);
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests;
