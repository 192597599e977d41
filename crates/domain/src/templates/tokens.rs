//! How many tokens a text has, by the tokeniser of GPT-3.5 and GPT-4 (`cl100k_base`).

/// How many tokens a text has. The table, some megabytes, is read once, when first asked for; then the
/// time is linear in the text, whatever it is.
pub fn tokens(text: &str) -> usize {
    bpe_openai::cl100k_base().count(text)
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn tokens_are_those_of_the_published_tokeniser() {
        assert_eq!(tokens(""), 0);
        assert_eq!(tokens("hello world"), 2);
        // From the documentation of that tokeniser.
        assert_eq!(tokens("tiktoken is great!"), 6);
        assert_eq!(tokens("antidisestablishmentarianism"), 6);
        assert_eq!(tokens("2 + 2 = 4"), 7);
        assert_eq!(tokens("お誕生日おめでとう"), 9);
    }

    #[test]
    fn a_long_run_of_one_letter_is_counted_to_its_end() {
        assert_eq!(tokens(&"a".repeat(1 << 20)), 131_072);
    }
}
