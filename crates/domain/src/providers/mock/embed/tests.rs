use super::*;

/// Twenty passages, as a company's handbook might have them.
const PASSAGES: [&str; 20] = [
    "Refunds are issued within fourteen days of receiving the returned item, to the original payment card.",
    "Parking permits for visitors are handed out at the front desk; show a document with a photograph.",
    "Annual leave must be requested at least three weeks before the first day off, in the staff portal.",
    "The backup runs every night at two o'clock and keeps thirty daily and twelve monthly copies.",
    "To reset a forgotten password, open the login page and choose the link below the form.",
    "Laptops are replaced every four years; broken machines are swapped on the same day.",
    "The cafeteria serves lunch from half past eleven until two, with a vegetarian dish every day.",
    "Travel expenses are reimbursed at the end of the month if receipts are attached to the claim.",
    "In case of fire leave the building by the stairs and gather at the meeting point by the gate.",
    "New suppliers are approved by the purchasing department after a credit check.",
    "Water boils at a lower temperature on high mountains because the air pressure is lower.",
    "The library lends books for four weeks; a reminder is sent three days before they are due.",
    "Invoices above ten thousand euros need two signatures before they are paid.",
    "The printer on the third floor takes A3 paper and staples up to fifty sheets.",
    "Customers can cancel a subscription at any time; it then ends with the current billing period.",
    "Every pull request needs one review and a green build before it may be merged.",
    "Bees tell each other where flowers are by dancing in figures of eight on the comb.",
    "提示词越具体，模型的回答就越可靠；请给出例子，并说明输出的格式。",
    "Die Heizung wird am Wochenende abgesenkt und am Montag um fünf Uhr wieder hochgefahren.",
    "Confidential papers go into the locked grey bins, which are emptied and shredded weekly.",
];

fn similarity(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn best(question: &str) -> usize {
    let question = embed(question);
    let score = |passage: &str| similarity(&question, &embed(passage));
    (0..PASSAGES.len())
        .max_by(|a, b| score(PASSAGES[*a]).total_cmp(&score(PASSAGES[*b])))
        .expect("there are passages")
}

#[test]
fn a_question_in_other_words_finds_the_passage_that_answers_it() {
    let cases = [
        ("When do I get my refund after returning an item?", 0),
        ("How can a visitor get a parking permit?", 1),
        ("How many weeks ahead must I request my leave?", 2),
        ("How many copies does the nightly backup keep?", 3),
        ("I forgot my password, how is it reset?", 4),
        ("What happens with a broken laptop?", 5),
        ("Is there a vegetarian lunch in the cafeteria?", 6),
        (
            "Which receipts do I need for reimbursement of travel expenses?",
            7,
        ),
        (
            "Where is the meeting point if there is a fire in the building?",
            8,
        ),
        ("Who approves a new supplier?", 9),
        (
            "Why does water boil at lower temperatures in the mountains?",
            10,
        ),
        ("How long may I keep a library book?", 11),
        ("How many signatures does an invoice need?", 12),
        ("Can I staple sheets on the printer?", 13),
        ("How do I cancel my subscription?", 14),
        ("What must a pull request have before merging?", 15),
        ("How does a bee tell others about flowers?", 16),
        ("怎样让模型的回答更可靠？", 17),
        ("Wann fährt die Heizung am Montag wieder hoch?", 18),
        ("Where do I put confidential paper to be shredded?", 19),
    ];
    for (question, passage) in cases {
        assert_eq!(PASSAGES[best(question)], PASSAGES[passage], "{question}");
    }
}

#[test]
fn vectors_have_length_one_and_never_change() {
    let vector = embed(PASSAGES[0]);
    assert_eq!(vector.len(), EMBEDDING_DIMENSIONS);
    assert!((similarity(&vector, &vector) - 1.0).abs() < 1e-5);
    assert_eq!(vector, embed(PASSAGES[0]));
    assert_eq!(
        fnv(0, b"word"),
        9_076_615_439_846_838_582,
        "stored vectors depend on this hash"
    );
}

#[test]
fn a_text_without_words_is_far_from_every_other() {
    let empty = embed(" ?! ");
    assert_eq!((empty[0], similarity(&empty, &empty)), (1.0, 1.0));
    assert!(similarity(&empty, &embed(PASSAGES[3])).abs() < f32::EPSILON);
}

#[test]
fn common_words_hardly_count() {
    let question = embed("what is the answer to this");
    assert!(similarity(&question, &embed("what is the colour of that")) < 0.2);
}

#[test]
fn the_embedder_answers_one_vector_per_text_in_order() {
    let texts = [PASSAGES[1], PASSAGES[2]];
    let mut answer = MockEmbedder.embed(&texts, EmbeddingTask::Document);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Ok(answer)) = answer.as_mut().poll(&mut context) else {
        panic!("the mock answers at once");
    };
    assert_eq!(answer.vectors, texts.map(embed));
    assert!(answer.tokens_estimated && answer.tokens > 40);
}
