//! What a run came to, for people.

use serde_json::Value;

use crate::table;

const HEADINGS: [&str; 10] = [
    "model",
    "completed",
    "malformed",
    "failed",
    "mean grade",
    "pass rate (95 %)",
    "p50 ms",
    "p95 ms",
    "tokens in/out",
    "cost USD",
];

/// A line for each column of the run.
pub fn columns(run: &Value) -> String {
    let columns = run["summary"]["columns"].as_array().map(Vec::as_slice);
    let rows: Vec<_> = columns.unwrap_or_default().iter().map(row).collect();
    table::render(&HEADINGS, &rows)
}

fn row(column: &Value) -> Vec<String> {
    let count = |name: &str| shown(&column["counts"][name]);
    let rate = &column["passRate"];
    let rate = match rate["value"].as_f64() {
        Some(_) => format!(
            "{} ({} to {})",
            percent(&rate["value"]),
            percent(&rate["low"]),
            percent(&rate["high"])
        ),
        None => "-".to_owned(),
    };
    vec![
        shown(&column["model"]),
        count("completed"),
        count("malformed"),
        count("failed"),
        column["meanGrade"]
            .as_f64()
            .map_or("-".to_owned(), |grade| format!("{grade:.3}")),
        rate,
        shown(&column["latencyMs"]["p50"]),
        shown(&column["latencyMs"]["p95"]),
        format!(
            "{}/{}",
            shown(&column["tokensIn"]),
            shown(&column["tokensOut"])
        ),
        shown(&column["cost"]),
    ]
}

/// How each column compares with the baseline's, and how sure that is.
pub fn comparison(comparison: &Value) -> String {
    let columns = comparison["columns"].as_array().map(Vec::as_slice);
    let lines: String = columns.unwrap_or_default().iter().map(compared).collect();
    format!(
        "\nagainst the baseline: {}\n{lines}",
        shown(&comparison["verdict"])
    )
}

fn compared(column: &Value) -> String {
    let (name, measure) = match column["basis"].as_str() {
        Some("passes") => ("pass rate", &column["passRates"]),
        _ => ("mean grade", &column["grades"]),
    };
    let mut parts = vec![format!(
        "column {}: {}",
        shown(&column["index"]),
        shown(&column["verdict"])
    )];
    if let (Some(before), Some(now)) = (measure["a"].as_f64(), measure["b"].as_f64()) {
        parts.push(format!("{name} {before:.3} before and {now:.3} now"));
    }
    let interval = &measure["interval"];
    if let (Some(low), Some(high)) = (interval["low"].as_f64(), interval["high"].as_f64()) {
        parts.push(format!("difference {low:+.3} to {high:+.3}"));
    }
    parts.extend(column["rows"].as_u64().map(|rows| format!("{rows} rows")));
    parts.join(", ") + "\n"
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn percent(share: &Value) -> String {
    share
        .as_f64()
        .map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_known_is_a_dash() {
        let column = json!({"model": "mock/text-1", "counts": {"completed": 2, "malformed": 0, "failed": 0},
            "meanGrade": null, "passRate": null, "latencyMs": {"p50": 3, "p95": null},
            "tokensIn": 10, "tokensOut": 4, "cost": "0"});
        let expected = [
            "mock/text-1",
            "2",
            "0",
            "0",
            "-",
            "-",
            "3",
            "-",
            "10/4",
            "0",
        ];
        assert_eq!(row(&column), expected);
    }

    #[test]
    fn a_comparison_says_how_sure_it_is_where_it_knows() {
        let rates = json!({"a": 0.9, "b": 0.7, "difference": -0.2, "interval": {"low": -0.3, "high": -0.1}});
        let told = comparison(&json!({"verdict": "worse", "columns": [
            {"index": 0, "verdict": "worse", "basis": "passes", "rows": 100, "passRates": rates},
            {"index": 1, "verdict": "not_comparable", "grades": null}]}));
        assert_eq!(
            told,
            "\nagainst the baseline: worse\ncolumn 0: worse, pass rate 0.900 before and 0.700 now, difference \
             -0.300 to -0.100, 100 rows\ncolumn 1: not_comparable\n"
        );
    }
}
