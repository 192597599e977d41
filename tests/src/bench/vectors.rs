//! Vectors that lie like real embeddings: around the centres of topics, the distance from the
//! centre mostly in a few directions that all topics share ("low rank"), which is harder for an
//! approximate index than noise in all directions.

use rand::{RngExt, SeedableRng, rngs::SmallRng};

/// Dimensions of a vector.
pub const DIMENSIONS: usize = domain::providers::EMBEDDING_DIMENSIONS;

/// Topics there are.
pub const TOPICS: usize = 1000;

/// Directions in which most of the noise lies.
const DIRECTIONS: usize = 64;

/// How far passages lie from their topic: two of one topic have a cosine of about 0.75.
const SPREAD: f32 = 0.58;

/// How far a question lies from the passage it paraphrases: a cosine of about 0.93.
const PARAPHRASE: f32 = 0.4;

/// How much of the noise is in no shared direction.
const ISOTROPIC: f32 = 0.3;

/// Makes vectors.
pub struct Space {
    random: SmallRng,
    topics: Vec<Vec<f32>>,
    directions: Vec<Vec<f32>>,
}

impl Space {
    /// The space of this seed.
    pub fn new(seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let topics = (0..TOPICS).map(|_| direction(&mut random)).collect();
        let directions = (0..DIRECTIONS).map(|_| direction(&mut random)).collect();
        Self {
            random,
            topics,
            directions,
        }
    }

    /// A passage about this topic.
    pub fn passage(&mut self, topic: usize) -> Vec<f32> {
        let centre = self.topics[topic % TOPICS].clone();
        self.near(&centre, SPREAD)
    }

    /// A question that this passage answers.
    pub fn question(&mut self, passage: &[f32]) -> Vec<f32> {
        self.near(passage, PARAPHRASE)
    }

    /// A number below `bound`.
    pub fn choose(&mut self, bound: usize) -> usize {
        self.random.random_range(0..bound)
    }

    fn near(&mut self, from: &[f32], distance: f32) -> Vec<f32> {
        let mut vector = from.to_vec();
        let shared = distance * (1.0 - ISOTROPIC * ISOTROPIC).sqrt() / 8.0;
        for place in 0..DIRECTIONS {
            let amount = shared * normal(&mut self.random);
            add(&mut vector, amount, &self.directions[place]);
        }
        let own = direction(&mut self.random);
        add(&mut vector, distance * ISOTROPIC, &own);
        unit(vector)
    }
}

/// How near two vectors of length one are: the cosine between them.
pub fn nearness(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        for lane in 0..16 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}

fn add(to: &mut [f32], amount: f32, what: &[f32]) {
    for (to, what) in to.iter_mut().zip(what) {
        *to += amount * what;
    }
}

fn direction(random: &mut SmallRng) -> Vec<f32> {
    unit((0..DIMENSIONS).map(|_| normal(random)).collect())
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = nearness(&vector, &vector).sqrt();
    for number in &mut vector {
        *number /= length;
    }
    vector
}

/// A number that is normally distributed, nearly: the sum of twelve even ones.
fn normal(random: &mut SmallRng) -> f32 {
    (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0
}
