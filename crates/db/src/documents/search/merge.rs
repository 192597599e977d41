//! One ranking out of several: while documents are made anew under another model, some are found
//! under the old one and some under the new.

use std::{cmp::Ordering, collections::HashSet};

use domain::documents::SearchMode;

use super::Hit;

/// Merges what was found under each model. Likenesses of different models say nothing of each other,
/// so by meaning the places count: the first of each list, then the second of each. Other scores are
/// made of ranks or words and compare as they are.
pub(super) fn merged(mut lists: Vec<Vec<Hit>>, mode: SearchMode, limit: i64) -> Vec<Hit> {
    if lists.len() < 2 {
        return lists.pop().unwrap_or_default();
    }
    let mut hits: Vec<Hit> = lists.into_iter().flatten().collect();
    hits.sort_by(|a, b| match mode {
        SearchMode::Semantic => a.semantic_rank.cmp(&b.semantic_rank).then(better(a, b)),
        SearchMode::Keyword | SearchMode::Hybrid => better(a, b),
    });
    // A passage found by words is in every list: its best place counts.
    let mut seen = HashSet::new();
    hits.retain(|hit| seen.insert(hit.chunk_id));
    hits.truncate(usize::try_from(limit).unwrap_or_default());
    hits
}

fn better(a: &Hit, b: &Hit) -> Ordering {
    b.score
        .total_cmp(&a.score)
        .then_with(|| a.chunk_id.cmp(&b.chunk_id))
}

#[cfg(test)]
mod tests {
    use domain::documents::{ChunkId, DocumentId};
    use uuid::Uuid;

    use super::*;

    fn hit(number: u128, score: f64, semantic_rank: Option<i64>) -> Hit {
        Hit {
            chunk_id: ChunkId(Uuid::from_u128(number)),
            document_id: DocumentId(Uuid::nil()),
            file_name: String::new(),
            text: String::new(),
            score,
            heading_path: Vec::new(),
            page: None,
            char_start: 0,
            char_end: 0,
            semantic_rank,
            keyword_rank: None,
        }
    }

    fn order(hits: &[Hit]) -> Vec<u128> {
        hits.iter().map(|hit| hit.chunk_id.0.as_u128()).collect()
    }

    #[test]
    fn by_meaning_the_models_take_turns_whatever_their_scores() {
        let old = vec![hit(1, 0.9, Some(1)), hit(2, 0.8, Some(2))];
        let new = vec![hit(3, 0.2, Some(1)), hit(4, 0.1, Some(2))];
        let found = merged(vec![old, new], SearchMode::Semantic, 3);
        assert_eq!(order(&found), [1, 3, 2]);
    }

    #[test]
    fn a_passage_in_both_lists_is_found_once_at_its_best() {
        let old = vec![
            hit(1, 1.0 / 61.0 + 1.0 / 62.0, Some(1)),
            hit(2, 1.0 / 61.0, None),
        ];
        let new = vec![hit(2, 1.0 / 61.0, None), hit(1, 1.0 / 62.0, None)];
        let found = merged(vec![old, new], SearchMode::Hybrid, 10);
        assert_eq!(order(&found), [1, 2]);
        assert_eq!(found[0].semantic_rank, Some(1));
    }
}
