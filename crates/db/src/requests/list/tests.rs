//! Pages end by count and by weight.

use domain::requests::RequestId;
use uuid::Uuid;

use super::*;

fn row(number: i32, weight: i64) -> Found {
    let person = UserId(Uuid::nil());
    let text = |text: &str| text.to_owned();
    let request = Request {
        id: RequestId(Uuid::from_u128(u128::try_from(number).expect("a number"))),
        number,
        title: text("Gripper").parse().expect("a title"),
        description: text("It misses parts.").parse().expect("a description"),
        vendor: text("ABB").parse().expect("a vendor"),
        status: RequestStatus::Submitted,
        priority: RequestPriority::Low,
        created_by: person,
        created_by_name: text("Ada").parse().expect("a name"),
        assigned_to: None,
        assigned_to_name: None,
        estimated_hours: None,
        comment_count: 0,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
    };
    Found {
        request,
        comment_bytes: weight,
    }
}

fn limit(rows: i64) -> Limit {
    rows.try_into().expect("a limit")
}

#[test]
fn a_page_ends_by_count_and_by_weight_but_never_empty() {
    let rows = |count: i32, weight| (0..count).map(|number| row(number, weight)).collect();
    let light: Vec<_> = rows(3, 1);
    assert_eq!(end_of_page(&light, limit(2)), 2);
    assert_eq!(end_of_page(&light, limit(9)), 3);
    assert_eq!(end_of_page(&[], limit(9)), 0);
    let heavy: Vec<_> = rows(30, i64::MAX);
    assert_eq!(end_of_page(&heavy, limit(30)), 20);
    let mut giant = row(1, 0);
    giant.comment_bytes = PAGE_BYTES;
    assert_eq!(end_of_page(&[giant], limit(1)), 1);
}

#[test]
fn shares_are_merged_without_repetition_and_one_stays_to_tell_that_more_follow() {
    let mut found: Vec<_> = [3, 9, 4, 9, 3, 7]
        .into_iter()
        .map(|number| row(number, 1))
        .collect();
    in_front(&mut found, &Filter::default(), limit(2));
    let numbers: Vec<_> = found.iter().map(|row| row.request.number).collect();
    assert_eq!(numbers, [9, 7, 4]);
}
