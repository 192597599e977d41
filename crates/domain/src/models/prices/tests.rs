use proptest::prelude::*;

use super::*;

fn usd(text: &str) -> Usd {
    text.parse().expect("an amount")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// A price from this moment and size of input on, for input and output.
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

const EVER: &str = "2026-01-01T00:00:00Z";

fn of(input: u64, output: u64) -> Usage {
    Usage {
        input,
        output,
        ..Usage::default()
    }
}

#[test]
fn input_and_output_cost_what_the_list_says() {
    // 1000 × 0.30 / 1 000 000 = 0.0003; 200 × 2.50 / 1 000 000 = 0.0005.
    let prices = [price(EVER, 0, "0.30", "2.50")];
    let paid = cost(&prices, &of(1000, 200), at("2026-11-20T00:00:00Z"));
    assert_eq!(paid, Some(usd("0.0008")));
}

#[test]
fn cached_input_is_part_of_the_input_and_costs_less() {
    // 10 000 tokens, 8000 of them cached: 2000 × 0.75 = 0.0015 and 8000 × 0.075 = 0.0006; 100 × 3.75 = 0.000375.
    let mut listed = price(EVER, 0, "0.75", "3.75");
    listed.cached_input = Some(usd("0.075"));
    let usage = Usage {
        cached_input: 8000,
        ..of(10_000, 100)
    };
    let now = at("2026-11-20T00:00:00Z");
    assert_eq!(cost(&[listed.clone()], &usage, now), Some(usd("0.002475")));
    // Without a price of its own it costs as other input does: 10 000 × 0.75 = 0.0075.
    listed.cached_input = None;
    assert_eq!(cost(&[listed], &usage, now), Some(usd("0.007875")));
}

#[test]
fn what_is_written_to_the_cache_has_its_own_price() {
    // 1000 × 2.00 + 4000 × 2.50 + 5000 × 0.10 = 2000 + 10 000 + 500 millionths, and 300 × 10.00 = 3000.
    let mut listed = price(EVER, 0, "2.00", "10.00");
    listed.cached_input = Some(usd("0.10"));
    listed.cache_write = Some(usd("2.50"));
    let usage = Usage {
        cached_input: 5000,
        cache_write: 4000,
        ..of(10_000, 300)
    };
    let paid = cost(&[listed], &usage, at("2026-11-20T00:00:00Z"));
    assert_eq!(paid, Some(usd("0.0155")));
}

#[test]
fn thoughts_are_part_of_the_output_and_not_paid_twice() {
    // 500 of output, 450 of them thoughts: 500 × 2.50 / 1 000 000 = 0.00125.
    let usage = Usage {
        thinking: 450,
        ..of(0, 500)
    };
    let paid = cost(
        &[price(EVER, 0, "0.30", "2.50")],
        &usage,
        at("2026-11-20T00:00:00Z"),
    );
    assert_eq!(paid, Some(usd("0.00125")));
}

#[test]
fn a_picture_costs_more_than_the_words_beside_it() {
    // 1120 tokens of picture × 60 = 0.0672, 80 of words × 3 = 0.00024, 20 of input × 0.50 = 0.00001.
    let mut listed = price(EVER, 0, "0.50", "3.00");
    listed.output_image = Some(usd("60.00"));
    let usage = Usage {
        image_output: 1120,
        ..of(20, 1200)
    };
    let paid = cost(&[listed], &usage, at("2026-11-20T00:00:00Z"));
    assert_eq!(paid, Some(usd("0.06745")));
}

#[test]
fn beyond_a_size_of_input_the_whole_call_costs_more() {
    let prices = [
        price(EVER, 200_001, "2.50", "15.00"),
        price(EVER, 0, "1.25", "10.00"),
    ];
    let now = at("2026-11-20T00:00:00Z");
    // 200 000 × 1.25 = 0.25 and 1000 × 10 = 0.01.
    assert_eq!(cost(&prices, &of(200_000, 1000), now), Some(usd("0.26")));
    // 200 001 × 2.50 = 0.5000025 and 1000 × 15 = 0.015.
    assert_eq!(
        cost(&prices, &of(200_001, 1000), now),
        Some(usd("0.5150025"))
    );
}

#[test]
fn a_new_price_holds_from_midnight_utc_on() {
    let prices = [
        price(EVER, 0, "2.00", "10.00"),
        price("2026-12-01T00:00:00Z", 0, "4.00", "20.00"),
    ];
    let paid = |time| cost(&prices, &of(1_000_000, 0), at(time));
    assert_eq!(paid("2026-11-30T23:59:59.999999Z"), Some(usd("2")));
    assert_eq!(paid("2026-12-01T00:00:00Z"), Some(usd("4")));
    // The same moment, said in other zones.
    assert_eq!(paid("2026-12-01T01:00:00+01:00"), Some(usd("4")));
    assert_eq!(paid("2026-11-30T23:59:59-01:00"), Some(usd("4")));
}

#[test]
fn a_new_step_replaces_all_tiers_of_the_one_before() {
    let prices = [
        price(EVER, 0, "1.00", "0"),
        price(EVER, 100, "5.00", "0"),
        price("2027-01-01T00:00:00Z", 0, "2.00", "0"),
    ];
    let paid = |time| cost(&prices, &of(1_000_000, 0), at(time));
    assert_eq!(paid("2026-12-31T00:00:00Z"), Some(usd("5")));
    assert_eq!(paid("2027-01-01T00:00:00Z"), Some(usd("2")));
}

#[test]
fn before_the_first_price_and_without_any_nothing_is_known() {
    let later = [price("2027-01-01T00:00:00Z", 0, "1", "1")];
    let now = at("2026-11-20T00:00:00Z");
    assert_eq!(cost(&later, &of(1, 1), now), None);
    assert_eq!(cost(&[], &of(1, 1), now), None);
    let free = [price(EVER, 0, "0", "0")];
    assert_eq!(cost(&free, &of(1, 1), now), Some(Usd::ZERO));
}

#[test]
fn a_part_of_a_nano_dollar_is_rounded_up_once() {
    // A token of 0.0001 dollars a million costs a tenth of a nano-dollar.
    let fine = [price(EVER, 0, "0.0001", "0.0001")];
    let now = at("2026-11-20T00:00:00Z");
    assert_eq!(cost(&fine, &of(1, 0), now), Some(Usd::from_nanos(1)));
    assert_eq!(cost(&fine, &of(5, 5), now), Some(Usd::from_nanos(1)));
    assert_eq!(cost(&fine, &of(5, 6), now), Some(Usd::from_nanos(2)));
}

#[test]
fn a_list_of_prices_names_all_its_faults() {
    let later = "2027-01-01T00:00:00Z";
    let list = [
        price(EVER, 0, "-1", "2000000"),
        price(EVER, 0, "1", "1"),
        price(later, 200_001, "1", "1"),
    ];
    let found: Vec<_> = faults(&list)
        .into_iter()
        .map(|(place, member, _)| (place, member))
        .collect();
    assert_eq!(
        found,
        [
            (0, "input"),
            (0, "output"),
            (1, "tierFromInputTokens"),
            (2, "tierFromInputTokens")
        ]
    );
    assert!(faults(&[price(EVER, 0, "1", "1"), price(EVER, 9, "1", "1")]).is_empty());
}

/// Prices with three places, as providers list them, or with nine.
fn any_price(step: i128) -> impl Strategy<Value = Price> {
    prop::array::uniform5(0..100_000_i128).prop_map(move |units| {
        let amount = |place: usize| Usd::from_nanos(units[place] * step);
        Price {
            cached_input: Some(amount(1)),
            cache_write: Some(amount(2)),
            output_image: Some(amount(4)),
            input: amount(0),
            output: amount(3),
            ..price(EVER, 0, "0", "0")
        }
    })
}

fn any_usage() -> impl Strategy<Value = Usage> {
    prop::array::uniform5(0..10_000_000_u64).prop_map(|[plain, cached, written, words, picture]| {
        Usage {
            input: plain + cached + written,
            cached_input: cached,
            cache_write: written,
            output: words + picture,
            image_output: picture,
            ..Usage::default()
        }
    })
}

fn sum(a: Usage, b: Usage) -> Usage {
    Usage {
        input: a.input + b.input,
        cached_input: a.cached_input + b.cached_input,
        cache_write: a.cache_write + b.cache_write,
        output: a.output + b.output,
        thinking: a.thinking + b.thinking,
        image_output: a.image_output + b.image_output,
        estimated: false,
    }
}

fn paid(price: &Price, usage: &Usage) -> Usd {
    cost(
        std::slice::from_ref(price),
        usage,
        at("2026-11-20T00:00:00Z"),
    )
    .expect("a price")
}

proptest! {
    #[test]
    fn at_list_prices_costs_add_up_as_tokens_do(price in any_price(1_000_000), a in any_usage(), b in any_usage()) {
        prop_assert_eq!(paid(&price, &a) + paid(&price, &b), paid(&price, &sum(a, b)));
    }

    #[test]
    fn at_finer_prices_two_calls_cost_a_nano_dollar_more_at_most(price in any_price(1), a in any_usage(), b in any_usage()) {
        let (apart, together) = (paid(&price, &a) + paid(&price, &b), paid(&price, &sum(a, b)));
        prop_assert!(apart >= together && apart.nanos() - together.nanos() <= 1);
    }

    #[test]
    fn more_tokens_never_cost_less(price in any_price(7), a in any_usage(), b in any_usage()) {
        prop_assert!(paid(&price, &sum(a, b)) >= paid(&price, &a));
    }

    #[test]
    fn what_costs_is_never_nothing(price in any_price(1), usage in any_usage()) {
        prop_assert_eq!(paid(&price, &usage) == Usd::ZERO, price.exact(&usage) == 0);
    }
}
