//! What is written about requests.

use domain::requests::TRANSITIONS;

#[test]
fn the_table_in_the_documentation_is_the_one_that_is_enforced() {
    let page = include_str!("../../../docs/api.md");
    let (_, table) = page
        .split_once("| from | by whom | to | by |\n| --- | --- | --- | --- |\n")
        .expect("a table");
    let written: Vec<&str> = table.lines().take_while(|line| !line.is_empty()).collect();
    let row = |step: &domain::requests::Transition| {
        let (who, by) = (step.who.as_str(), step.by.as_str());
        format!("| {} | {who} | {} | {by} |", step.from, step.to)
    };
    let enforced: Vec<String> = TRANSITIONS.iter().map(row).collect();
    assert_eq!(written, enforced);
}
