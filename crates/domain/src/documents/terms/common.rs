//! The words that almost every text has: function words of English, German, French and Spanish.
//! Not a dictionary; a missing word only costs a little precision.

/// In the order of their bytes. A few that mean something in another of the languages are left out.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "a", "aber", "about", "above", "after", "again", "al", "all", "als", "also", "am", "an",
    "and", "any", "are", "as", "at", "au", "auch", "auf", "aus", "aux", "avec", "be", "because",
    "been", "before", "bei", "being", "below", "between", "bin", "bis", "bist", "both", "but",
    "by", "can", "ce", "ces", "cette", "como", "con", "could", "da", "damit", "dann", "dans",
    "das", "dass", "de", "del", "dem", "den", "der", "des", "did", "die", "dies", "diese",
    "dieser", "dieses", "do", "doch", "does", "doing", "down", "du", "durch", "during", "each",
    "ein", "eine", "einem", "einen", "einer", "eines", "el", "elle", "en", "er", "es", "est",
    "esta", "este", "et", "few", "for", "from", "further", "für", "get", "had", "has", "hat",
    "hatte", "have", "having", "he", "her", "here", "hers", "him", "his", "how", "i", "ich",
    "if", "ihr", "il", "ils", "im", "in", "into", "is", "ist", "it", "its", "itself", "ja",
    "je", "just", "kann", "kein", "keine", "la", "las", "le", "les", "leur", "lo", "los",
    "mais", "man", "me", "might", "mit", "more", "most", "must", "my", "nach", "ne", "nicht",
    "no", "noch", "nor", "not", "nous", "now", "nur", "ob", "oder", "of", "off", "ohne", "on",
    "once", "one", "only", "or", "other", "ou", "our", "ours", "out", "over", "own", "où",
    "par", "para", "pas", "pero", "plus", "por", "pour", "que", "qui", "s", "sa", "same", "se",
    "sein", "ses", "she", "should", "sich", "sie", "sind", "so", "some", "son", "sont", "su",
    "such", "sur", "sus", "t", "than", "that", "the", "their", "theirs", "them", "then",
    "there", "these", "they", "this", "those", "through", "to", "too", "um", "un", "una", "und",
    "under", "une", "uns", "until", "up", "upon", "us", "use", "used", "using", "very", "vom",
    "von", "vor", "vous", "war", "was", "we", "weil", "wenn", "wer", "werden", "were", "what",
    "when", "where", "which", "while", "who", "whom", "whose", "why", "wie", "will", "wir",
    "wird", "with", "wo", "would", "y", "you", "your", "yours", "zu", "zum", "zur", "über",
];
