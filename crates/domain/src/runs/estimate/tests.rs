use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-11-20T00:00:00Z";

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn usd(text: &str) -> Usd {
    text.parse().expect("an amount")
}

fn price(from: &str, tier: u32, input: &str, output: &str) -> Price {
    Price {
        effective_from: at(from),
        tier_from_input_tokens: tier,
        input: usd(input),
        cached_input: None,
        cache_write: None,
        output: usd(output),
        output_image: None,
    }
}

fn bounds(request_bytes: u64, max_output_tokens: u32) -> Bounds {
    Bounds {
        request_bytes,
        pictures: 0,
        max_output_tokens,
    }
}

#[test]
fn a_token_a_byte_and_the_whole_answer_are_kept_back() {
    // (744 + 256) × 2 / 1 000 000 = 0.002; 100 × 10 / 1 000 000 = 0.001.
    let prices = [price("2026-01-01T00:00:00Z", 0, "2", "10")];
    assert_eq!(
        reserve(&prices, bounds(744, 100), at(NOW)),
        Some(usd("0.003"))
    );
    // A picture: 50 000 × 2 / 1 000 000.
    let shown = Bounds {
        pictures: 1,
        ..bounds(744, 100)
    };
    assert_eq!(reserve(&prices, shown, at(NOW)), Some(usd("0.103")));
    assert_eq!(reserve(&[], bounds(1, 1), at(NOW)), None);
    assert_eq!(
        reserve(&prices, bounds(1, 1), at("2025-01-01T00:00:00Z")),
        None
    );
}

#[test]
fn the_dearest_way_to_count_is_taken() {
    let mut written = price("2026-01-01T00:00:00Z", 0, "2", "10");
    written.cache_write = Some(usd("2.5"));
    written.output_image = Some(usd("60"));
    // 1000 × 2.5 + 100 × 60 millionths.
    assert_eq!(
        reserve(&[written], bounds(744, 100), at(NOW)),
        Some(usd("0.0085"))
    );
    // A cheaper tier above does not help: the input may stay below it.
    let falling = [
        price("2026-01-01T00:00:00Z", 0, "2", "0"),
        price("2026-01-01T00:00:00Z", 500, "1", "0"),
    ];
    assert_eq!(
        reserve(&falling, bounds(744, 0), at(NOW)),
        Some(usd("0.002"))
    );
}

#[test]
fn a_usual_call_costs_less_than_the_most_and_calls_add_up() {
    let prices = [price("2026-01-01T00:00:00Z", 0, "2", "10")];
    // 400 / 4 × 2 + 1600 / 16 × 10 = 200 + 1000 millionths.
    let one = range(&prices, bounds(400, 1600), at(NOW)).expect("a price");
    assert_eq!(one.low, usd("0.0012"));
    assert_eq!(one.high, usd("0.017312"));
    let two: Range = [one, one].into_iter().sum();
    assert_eq!((two.low, two.high), (usd("0.0024"), usd("0.034624")));
}

fn any_price(from: &'static str, tier: u32) -> impl Strategy<Value = Price> {
    let amount = || (0..100_000_000_i128).prop_map(Usd::from_nanos);
    let maybe = || prop::option::of(amount());
    (amount(), maybe(), maybe(), amount(), maybe()).prop_map(
        move |(input, cached_input, cache_write, output, output_image)| Price {
            input,
            cached_input,
            cache_write,
            output,
            output_image,
            ..price(from, tier, "0", "0")
        },
    )
}

fn any_prices() -> impl Strategy<Value = Vec<Price>> {
    (
        any_price("2026-01-01T00:00:00Z", 0),
        any_price("2026-11-01T00:00:00Z", 0),
        any_price("2026-11-01T00:00:00Z", 1000),
        any_price("2026-11-01T00:00:00Z", 200_001),
        any_price("2027-01-01T00:00:00Z", 0),
    )
        .prop_map(|(a, b, c, d, e)| vec![a, b, c, d, e])
}

/// A usage within bounds: shares of the input that are cached and written, of the output that are
/// pictures and thoughts.
fn used(bounds: Bounds, shares: [f64; 6]) -> Usage {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a small number"
    )]
    let part = |of: u64, share: f64| (of as f64 * share) as u64;
    let input = part(bounds.input_tokens(), shares[0]);
    let cached_input = part(input, shares[1]);
    let output = part(u64::from(bounds.max_output_tokens), shares[3]);
    Usage {
        input,
        cached_input,
        cache_write: part(input - cached_input, shares[2]),
        output,
        image_output: part(output, shares[4]),
        thinking: part(output, shares[5]),
        estimated: false,
    }
}

proptest! {
    #[test]
    fn what_is_kept_back_covers_whatever_is_paid(
        prices in any_prices(),
        request_bytes in 0..400_000_u64,
        pictures in 0..3_u32,
        max_output_tokens in 0..70_000_u32,
        shares in prop::array::uniform6(prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0_f64]),
    ) {
        let bounds = Bounds { request_bytes, pictures, max_output_tokens };
        let paid = cost(&prices, &used(bounds, shares), at(NOW)).expect("a price");
        prop_assert!(reserve(&prices, bounds, at(NOW)).expect("a price") >= paid);
    }
}
