//! What has to be there before a run costs money: a column for each placeholder.

/// The names that a grader may use besides columns.
const OUTPUT: &str = "output";

/// What the placeholders of a run are held against.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// The dataset's, if there is one.
    pub headers: Option<&'a [String]>,
    /// What makes the outputs, in a sentence's words.
    pub what: &'a str,
    /// The names in the generator.
    pub generator: &'a [String],
    /// The names in the grader, if there is one.
    pub grader: Option<&'a [String]>,
    /// The column that is said to hold the expected answer.
    pub expected: Option<&'a str>,
}

/// Everything that is missing, a member of the request and a sentence each.
pub fn preflight(columns: &Columns<'_>) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    let headers = columns.headers.unwrap_or_default();
    let missing = |names: &[String], also: &str| -> Vec<String> {
        names
            .iter()
            .filter(|name| !headers.contains(name) && name.as_str() != also)
            .map(|name| format!("\"{name}\""))
            .collect()
    };
    if columns.headers.is_none() && !columns.generator.is_empty() {
        let sentence = format!(
            "{} requires variables but no dataset selected",
            columns.what
        );
        faults.push(("datasetId", sentence));
    } else {
        let names = missing(columns.generator, "");
        if !names.is_empty() {
            let what = columns.what;
            let sentence = format!("{what} is missing dataset columns: {}", names.join(", "));
            faults.push(("datasetId", sentence));
        }
    }
    let names = columns
        .grader
        .map_or(Vec::new(), |grader| missing(grader, OUTPUT));
    if !names.is_empty() {
        let sentence = format!("Grader is missing variables: {}", names.join(", "));
        faults.push(("graderPromptId", sentence));
    }
    if let Some(expected) = columns.expected
        && !headers.iter().any(|header| header == expected)
    {
        let sentence = format!("The dataset has no column \"{expected}\" to expect answers from");
        faults.push(("expectedColumn", sentence));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn sentences(
        headers: Option<&[&str]>,
        generator: &[&str],
        grader: Option<&[&str]>,
    ) -> Vec<String> {
        let headers = headers.map(names);
        let (generator, grader) = (names(generator), grader.map(names));
        let columns = Columns {
            what: "Generator",
            headers: headers.as_deref(),
            generator: &generator,
            grader: grader.as_deref(),
            expected: None,
        };
        preflight(&columns)
            .into_iter()
            .map(|(_, sentence)| sentence)
            .collect()
    }

    #[test]
    fn each_fault_is_told_in_words() {
        assert_eq!(
            sentences(Some(&["a"]), &["x", "a", "y"], Some(&["output", "z"])),
            [
                r#"Generator is missing dataset columns: "x", "y""#,
                r#"Grader is missing variables: "z""#
            ]
        );
        assert_eq!(
            sentences(None, &["x"], None),
            ["Generator requires variables but no dataset selected"]
        );
        assert!(sentences(None, &[], Some(&["output"])).is_empty());
        assert!(sentences(Some(&["x", "y"]), &["x"], None).is_empty());
    }
}
