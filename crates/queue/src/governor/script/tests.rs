//! The scripts against the rules they repeat. Needs a Redis at `REDIS_URL`; without one the test
//! says so and passes.

use domain::providers::lane::Lane;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::{Config, governor::memory::Memory};

const CALLERS: u32 = 12;

/// What happens to both.
struct Twins {
    redis: Redis,
    keys: Keys,
    lane: Lane,
    rules: Rules,
    now: f64,
    reserved: [Option<f64>; CALLERS as usize],
}

fn config() -> Option<Config> {
    let Ok(redis_url) = std::env::var("REDIS_URL") else {
        eprintln!("SKIPPED: REDIS_URL is not set");
        return None;
    };
    let redis_url = redis_url.into();
    Some(Config {
        redis_url,
        redis_prefix: format!("test:{:016x}", rand::random::<u64>()),
        workflow_company_concurrency: 100,
    })
}

fn rules(random: &mut StdRng) -> Rules {
    let mut pace = |most| {
        random
            .random_bool(0.6)
            .then(|| Pace::per_minute(random.random_range(1..most)))
    };
    Rules {
        calls: pace(2_000),
        tokens: pace(200_000),
        most: f64::from(random.random_range(1..20_u32)),
        lease: 5_000.0,
    }
}

fn lesson(random: &mut StdRng) -> Lesson {
    let wait = random.random_range(0.0..3_000.0_f64).floor();
    match random.random_range(0..13) {
        0 => Lesson::None,
        1 => Lesson::Answered,
        2 => Lesson::Wait {
            wait,
            named: wait * 3.0,
            quota: random.random(),
        },
        3..6 => Lesson::Failed,
        6 => Lesson::Complaint(Refusal::Unauthorized("not this key".into())),
        7 => Lesson::Complaint(Refusal::OutOfCredit("no money".into())),
        8 => Lesson::FailedUntil {
            wait,
            named: wait * 3.0,
        },
        _ => Lesson::Good,
    }
}

impl Twins {
    async fn enter(&mut self, random: &mut StdRng) {
        let caller = random.random_range(0..CALLERS);
        let place = &mut self.reserved[caller as usize];
        let wish = Wish {
            id: format!("caller {caller}"),
            reserved: *place,
            tokens: f64::from(random.random_range(0..3_000_u32)),
            patience: [0.0, 300.0, 5_000.0][random.random_range(0..3)],
        };
        let expected = self.lane.enter(self.now, &wish, &self.rules);
        let (redis, known) = (&mut self.redis, Known::default());
        let answer = enter(redis, &self.keys, &wish, &self.rules, known, Some(self.now)).await;
        let answer = answer.expect("Redis answers");
        assert_eq!(answer.entry, expected, "{wish:?} {:?}", self.lane);
        *place = match answer.entry {
            Entry::Reserved { at, .. } => Some(at),
            _ => None,
        };
        self.compare(answer.standing);
    }

    async fn settle(&mut self, random: &mut StdRng) {
        let id = format!("caller {}", random.random_range(0..CALLERS));
        let entered = self.now - random.random_range(0.0..2_000.0);
        let surplus = f64::from(random.random_range(-500..500_i32));
        let (lesson, rules) = (lesson(random), self.rules);
        self.lane
            .settle(self.now, &id, entered, surplus, &lesson, &rules);
        let (redis, now) = (&mut self.redis, Some(self.now));
        let standing = settle(
            redis, &self.keys, &id, entered, surplus, &lesson, &rules, now,
        )
        .await;
        self.compare(standing.expect("Redis answers").standing);
    }

    fn compare(&self, standing: Standing) {
        #[expect(clippy::cast_precision_loss, reason = "a dozen")]
        let expected = Standing {
            limit: self.lane.limit(&self.rules),
            in_flight: self.lane.places.len() as f64,
            parked: (self.lane.parked_until - self.now).max(0.0),
        };
        assert_eq!(standing, expected, "{:?}", self.lane);
    }
}

#[tokio::test]
async fn the_scripts_say_what_the_rules_say() {
    let Some(config) = config() else {
        return;
    };
    for seed in 0..40 {
        let mut random = StdRng::seed_from_u64(seed);
        let key = |what: &str| config.key(&format!("governor:{{{seed}}}:{what}"));
        let mut twins = Twins {
            redis: crate::connect(&config).expect("an address"),
            keys: Keys {
                state: key("state"),
                places: key("places"),
            },
            lane: Lane::default(),
            rules: rules(&mut random),
            now: 1_763_676_000_000.0,
            reserved: [None; CALLERS as usize],
        };
        for _ in 0..250 {
            twins.now += random.random_range(0.0..400.0);
            if random.random_bool(0.6) {
                twins.enter(&mut random).await;
            } else {
                twins.settle(&mut random).await;
            }
        }
        let mut gone = redis::cmd("DEL");
        gone.arg(&twins.keys.state).arg(&twins.keys.places);
        gone.exec_async(&mut twins.redis)
            .await
            .expect("Redis answers");
    }
}

#[tokio::test]
async fn a_time_that_redis_forgot_is_told_to_it_again() {
    let Some(config) = config() else {
        return;
    };
    let mut redis = crate::connect(&config).expect("an address");
    let key = |what: &str| config.key(&format!("governor:{{again}}:{what}"));
    let keys = Keys {
        state: key("state"),
        places: key("places"),
    };
    let mut random = StdRng::seed_from_u64(1);
    let rules = Rules {
        calls: None,
        tokens: None,
        ..rules(&mut random)
    };
    let wish = Wish {
        id: "a".into(),
        reserved: None,
        tokens: 0.0,
        patience: 0.0,
    };
    let known = Known {
        wait: 31_000.0,
        until: 0.0,
        named: 7.5,
        quota: true,
    };
    let now = Some(1e12);
    for known in [known, Known::default()] {
        let answer = enter(&mut redis, &keys, &wish, &rules, known, now).await;
        let why = Refusal::Parked {
            named: 7.5,
            quota: true,
        };
        let refused = Entry::Refused {
            wait: 31_000.0,
            why,
        };
        assert_eq!(answer.expect("Redis answers").entry, refused);
    }
    let mut gone = redis::cmd("DEL");
    gone.arg(&keys.state)
        .exec_async(&mut redis)
        .await
        .expect("Redis answers");
}

/// Callers of three processes who ask while a lane is parked. Each answer is long under way, and the
/// clocks of processes start at other moments than Redis'.
#[tokio::test]
async fn however_often_is_asked_and_however_late_answers_come_the_time_stands() {
    let Some(config) = config() else {
        return;
    };
    let mut redis = crate::connect(&config).expect("an address");
    let key = |what: &str| config.key(&format!("governor:{{late}}:{what}"));
    let keys = Keys {
        state: key("state"),
        places: key("places"),
    };
    let mut random = StdRng::seed_from_u64(2);
    let rules = Rules {
        calls: None,
        tokens: None,
        ..rules(&mut random)
    };
    let start = 1e12;
    let until = start + 31_000.0;
    let mut processes: [Memory; 3] = Default::default();
    let lesson = Lesson::Wait {
        wait: 31_000.0,
        named: 5e12,
        quota: false,
    };
    // One of them is told, and the answer that would confirm it is lost.
    processes[0].settle(1.0, "a", 1.0, 0.0, &lesson, &rules);
    let (id, now) = ("a", Some(start));
    let told = settle(&mut redis, &keys, id, start, 0.0, &lesson, &rules, now);
    told.await.expect("Redis answers");
    let wish = Wish {
        id: "b".into(),
        reserved: None,
        tokens: 0.0,
        patience: 0.0,
    };
    let mut passed = 0.0;
    for round in 0..60 {
        if round % 20 == 19 {
            let mut gone = redis::cmd("DEL");
            gone.arg(&keys.state);
            gone.exec_async(&mut redis).await.expect("Redis answers");
        }
        for memory in &mut processes {
            let (there, back) = (random.random_range(1..120), random.random_range(1..120));
            let known = memory.known(1.0 + passed);
            passed += f64::from(there);
            let now = Some(start + passed);
            let answer = enter(&mut redis, &keys, &wish, &rules, known, now).await;
            let answer = answer.expect("Redis answers");
            assert_eq!(answer.known.until.to_bits(), f64::to_bits(until), "{round}");
            passed += f64::from(back);
            memory.remember(1.0 + passed, answer.known);
        }
    }
    let mut gone = redis::cmd("DEL");
    gone.arg(&keys.state)
        .exec_async(&mut redis)
        .await
        .expect("Redis answers");
}
