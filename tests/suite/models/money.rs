//! Money on its way to Postgres and back.

use diesel::{QueryableByName, sql_types::Numeric};
use diesel_async::RunQueryDsl as _;
use domain::models::Usd;
use tests::support::database::Database;

#[derive(QueryableByName)]
struct Amounts {
    #[diesel(sql_type = Numeric)]
    same: Usd,
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_stored_and_read_to_the_last_place() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let mut nanos = vec![
        0,
        1,
        9,
        10_000,
        123_456_789,
        999_999_999,
        1_000_000_000,
        10_i128.pow(20) - 1,
    ];
    nanos.extend((0..21).map(|power| 10_i128.pow(power)));
    nanos.extend((0..200).map(|_| i128::from(rand::random::<i64>())));
    for nanos in nanos.into_iter().flat_map(|nanos| [nanos, -nanos]) {
        let amount = Usd::from_nanos(nanos);
        let row: Amounts = diesel::sql_query("SELECT $1 AS same, trim_scale($1)::text AS text")
            .bind::<Numeric, _>(amount)
            .get_result(&mut conn)
            .await
            .expect("a row");
        assert_eq!((row.same, row.text), (amount, amount.to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sum_is_exact_and_a_mean_is_cut_at_the_last_place() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let mut read = async |sql: &str| {
        let row: Amounts = diesel::sql_query(format!("SELECT {sql} AS same, '' AS text"))
            .get_result(&mut conn)
            .await
            .expect("a row");
        row.same.to_string()
    };
    let sum = "(SELECT sum(0.000000001::numeric(28,9)) FROM generate_series(1, 1000003))";
    assert_eq!(read(sum).await, "0.001000003");
    assert_eq!(
        read("(SELECT avg(x) FROM (VALUES (1::numeric), (1), (0)) AS t(x))").await,
        "0.666666666"
    );
    assert_eq!(read("-2::numeric / 3").await, "-0.666666666");
    assert_eq!(read("1e12::numeric").await, "1000000000000");
    assert_eq!(read("0.00000000001::numeric").await, "0");
}
