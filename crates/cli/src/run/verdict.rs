//! Whether a run is good enough.
//!
//! A verdict is only given on what was finished: a run that was called off, that ran out of budget
//! or whose cells failed says nothing about the prompt, however good the rest looks.

use serde_json::Value;

use crate::{arguments::Demands, failure::Failure};

/// Whether a run is good enough.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// It is.
    Passed,
    /// It is not, for these reasons.
    NotGoodEnough(Vec<String>),
}

impl Verdict {
    /// Holds a run that has ended against what was demanded.
    pub fn of(run: &Value, demands: &Demands, comparison: Option<&Value>) -> Result<Self, Failure> {
        finished(run, demands)?;
        let mut reasons = Vec::new();
        if let Some(least) = demands.fail_under {
            reasons.extend(below(run, least)?);
        }
        if let Some(comparison) = comparison {
            reasons.extend(worse(comparison)?);
        }
        Ok(if reasons.is_empty() {
            Self::Passed
        } else {
            Self::NotGoodEnough(reasons)
        })
    }
}

fn columns(run: &Value) -> &[Value] {
    run["summary"]["columns"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn finished(run: &Value, demands: &Demands) -> Result<(), Failure> {
    let status = run["status"].as_str().unwrap_or_default();
    if status != "completed" {
        let why = match status {
            "budget_exceeded" => "it ran out of its budget",
            "cancelled" => "somebody called it off",
            _ => "it could not be worked on",
        };
        return Err(Failure::Undecided(format!(
            "The run was not finished: {why}."
        )));
    }
    let failed = |column: &Value| column["counts"]["failed"].as_u64().unwrap_or_default();
    let failed: u64 = columns(run).iter().map(failed).sum();
    if failed > demands.max_failed {
        return Err(Failure::Undecided(format!(
            "{failed} cells got no answer, and --max-failed is {}: the rest says too little.",
            demands.max_failed
        )));
    }
    Ok(())
}

fn below(run: &Value, least: f64) -> Result<Vec<String>, Failure> {
    let mut reasons = Vec::new();
    for column in columns(run) {
        let model = column["model"].as_str().unwrap_or("a column");
        let Some(rate) = column["passRate"]["value"].as_f64() else {
            let sentence =
                format!("No answer of {model} has a grade: --fail-under has nothing to go by.");
            return Err(Failure::Undecided(sentence));
        };
        if rate < least {
            reasons.push(format!(
                "{:.1} % of {model} pass, {:.1} % should",
                rate * 100.0,
                least * 100.0
            ));
        }
    }
    Ok(reasons)
}

fn worse(comparison: &Value) -> Result<Vec<String>, Failure> {
    let columns = comparison["columns"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let is = |verdict: &str| comparison["verdict"] == verdict;
    let mut reasons: Vec<String> = columns
        .iter()
        .filter(|column| column["verdict"] == "worse")
        .map(|column| format!("column {} is worse than the baseline's", column["index"]))
        .collect();
    if reasons.is_empty() && is("worse") {
        reasons.push("it is worse than the baseline".into());
    }
    if reasons.is_empty() && is("not_comparable") {
        let why = comparison["reason"].as_str();
        let why = why.unwrap_or("There is no row on which both have a grade.");
        return Err(Failure::Undecided(format!(
            "The run cannot be compared with the baseline. {why}"
        )));
    }
    Ok(reasons)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(rates: &[Option<f64>], failed: u64) -> Value {
        let column = |rate: &Option<f64>| {
            json!({"model": "mock/text-1", "counts": {"failed": failed},
                "passRate": rate.map(|value| json!({"value": value}))})
        };
        let columns: Vec<_> = rates.iter().map(column).collect();
        json!({"status": "completed", "summary": {"columns": columns}})
    }

    fn least(share: f64) -> Demands {
        Demands {
            fail_under: Some(share),
            ..Demands::default()
        }
    }

    fn undecided(run: &Value, demands: &Demands) -> String {
        Verdict::of(run, demands, None)
            .expect_err("no verdict")
            .to_string()
    }

    #[test]
    fn every_column_has_to_reach_the_share() {
        let verdict = |rates| Verdict::of(&run(rates, 0), &least(0.9), None).expect("a verdict");
        assert_eq!(verdict(&[Some(0.9), Some(1.0)]), Verdict::Passed);
        let reasons = vec!["89.0 % of mock/text-1 pass, 90.0 % should".to_owned()];
        assert_eq!(
            verdict(&[Some(1.0), Some(0.89)]),
            Verdict::NotGoodEnough(reasons)
        );
    }

    #[test]
    fn there_is_no_verdict_on_what_was_not_finished() {
        let mut broke = run(&[Some(1.0)], 0);
        broke["status"] = json!("budget_exceeded");
        assert!(undecided(&broke, &Demands::default()).contains("its budget"));
        let failed = run(&[Some(1.0)], 1);
        assert!(undecided(&failed, &least(0.5)).contains("1 cells got no answer"));
        let lenient = Demands {
            max_failed: 1,
            ..least(0.5)
        };
        assert_eq!(
            Verdict::of(&failed, &lenient, None).expect("a verdict"),
            Verdict::Passed
        );
        assert!(undecided(&run(&[None], 0), &least(0.5)).contains("has a grade"));
    }

    #[test]
    fn a_worse_column_is_not_good_enough_and_a_tie_is() {
        let verdict = |comparison: Value| {
            let run = run(&[Some(1.0)], 0);
            Verdict::of(&run, &Demands::default(), Some(&comparison)).map_err(|why| why.to_string())
        };
        let columns = |verdict: &str| json!([{"index": 0, "verdict": verdict}]);
        for fine in ["better", "tied"] {
            let comparison = json!({"verdict": fine, "columns": columns(fine)});
            assert_eq!(verdict(comparison), Ok(Verdict::Passed));
        }
        let worse = json!({"verdict": "tied", "columns": columns("worse")});
        assert!(matches!(verdict(worse), Ok(Verdict::NotGoodEnough(_))));
        assert!(matches!(
            verdict(json!({"verdict": "worse"})),
            Ok(Verdict::NotGoodEnough(_))
        ));
        let apart = json!({"verdict": "not_comparable", "columns": columns("not_comparable")});
        let why = verdict(apart).expect_err("no verdict");
        assert!(why.contains("no row on which both have a grade"), "{why}");
    }
}
