//! The two demo documents that are generated: a booklet as PDF and a handbook as DOCX. Their
//! words are here; the files beside the other samples are made from them.

use super::{docx::Piece, pdf::Line};

/// The chapters of the booklet on lighthouses, one page each.
const LIGHTHOUSES: [(&str, &str); 6] = [
    (
        "Why lighthouses burn",
        "A lighthouse answers one question for a ship at night: where am I? A single lamp on a dark \
coast would only say that there is a lamp. So every lighthouse has a character, a rhythm of \
flashes and pauses that belongs to it alone along its stretch of coast and is printed on the \
chart. A mariner times the rhythm with a watch, finds it in the list of lights, and knows the \
tower by name. By day the tower itself is the sign, which is why lighthouses are painted in \
bands, spirals and chequers that no neighbour shares.",
    ),
    (
        "The Fresnel lens",
        "Until the 1820s the light of oil lamps was gathered by mirrors that swallowed about half of \
it. Augustin-Jean Fresnel cut a huge lens into rings and threw away the glass that did nothing \
but carry weight. What remains is a beehive of prisms: those in the middle bend the light, \
those above and below bend it and reflect it as well. The first such lens was lit at the \
Cordouan lighthouse in the mouth of the Gironde in 1823. Lenses were built in orders by size. \
A lens of the first order stands about two and a half metres high and weighs several tonnes.",
    ),
    (
        "Turning on mercury",
        "A lens that turns sends its beam around the horizon. To move several tonnes by the clockwork \
of the day, keepers floated the lens in a trough of mercury. It turned at the push of a finger, \
and a weight that sank through the tower kept it going for some hours before somebody had to \
wind it up again. The vapour of the mercury was poisonous, which keepers learned late. Modern \
lamps are small enough for a plain bearing and an electric motor.",
    ),
    (
        "How far a light is seen",
        "Two limits decide how far a light is seen. The geographic range is set by the curve of the \
Earth: the higher the lamp and the higher the eye, the farther the horizon. A lamp forty metres \
above the sea is seen from a bridge ten metres up at about twenty nautical miles. The luminous \
range is set by the brightness of the lamp and by the clearness of the air; in fog the strongest \
light may be lost within a mile, and a horn takes over.",
    ),
    (
        "Keepers and automation",
        "Keepers trimmed wicks, polished prisms, wound the clockwork and wrote down the weather. A \
rock station had at least three of them, so that nobody was left alone with the dead or the sick. \
From the 1960s on electric lamps, sensors and radio links took over one task after another. In \
Britain the last tower lost its keepers in November 1998, when North Foreland in Kent was made \
automatic.",
    ),
    (
        "Towers against the sea",
        "A tower on a wave-washed rock cannot lean on weight alone. John Smeaton shaped his tower on \
the Eddystone, finished in 1759, like the trunk of an oak, wide at the foot and narrowing upwards, \
and cut the granite blocks so that each is locked into its neighbours by dovetails. He also found \
a lime that sets under water, for which he is remembered by everybody who pours concrete. When \
the rock below it, not the tower, began to give way, the upper part was carried stone by stone to \
Plymouth, where it stands today.",
    ),
];

/// The booklet: its pages as lines, and the titles with their pages.
pub fn lighthouses() -> (Vec<Vec<Line>>, Vec<(&'static str, usize)>) {
    let pages = LIGHTHOUSES.iter().map(|(title, words)| {
        let lines = wrap(words, 84).into_iter().map(|line| (line, 11));
        std::iter::once(((*title).to_owned(), 18))
            .chain(lines)
            .collect()
    });
    let titles = LIGHTHOUSES
        .iter()
        .enumerate()
        .map(|(page, (title, _))| (*title, page));
    (pages.collect(), titles.collect())
}

/// Breaks a paragraph into lines.
fn wrap(words: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let line = lines.last_mut().expect("there is a line");
        if line.len() + word.len() >= width {
            lines.push(word.to_owned());
        } else {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines
}

/// The handbook of an invented workshop.
pub const WORKSHOP: &[Piece<'static>] = &[
    Piece::Heading(1, "Handbook of the Harbour Street Workshop"),
    Piece::Words(
        "The Harbour Street Workshop lends machines and benches to people who build and repair things. \
This handbook is what everybody signs before the first visit.",
    ),
    Piece::Heading(2, "Membership"),
    Piece::Words(
        "Membership costs 24 euros a month and 12 euros for students and pensioners. It renews by itself \
and may be ended at the end of any month by a note to the desk; what was paid in advance is given back. \
Guests come free of charge three times a year, with a member who answers for them.",
    ),
    Piece::Heading(2, "Machines"),
    Piece::Words(
        "Machines marked with a yellow dot may be used by everybody. Those with a red dot need an \
introduction, which is held on the first Saturday of the month and is good for two years.",
    ),
    Piece::Table(&[
        &["Machine", "Dot", "Longest booking", "Wear"],
        &[
            "Bench drill",
            "yellow",
            "2 hours",
            "safety goggles, no gloves",
        ],
        &["Table saw", "red", "1 hour", "goggles and ear protection"],
        &[
            "Laser cutter",
            "red",
            "90 minutes",
            "nothing loose; never leave it alone",
        ],
        &["Sewing machine", "yellow", "4 hours", "nothing special"],
    ]),
    Piece::Heading(3, "Booking"),
    Piece::Words(
        "Bookings are made on the board beside the door, at most fourteen days ahead. Who is fifteen \
minutes late loses the slot. Cancelling is free until the evening before.",
    ),
    Piece::Heading(3, "The laser cutter"),
    Piece::Words(
        "Cut wood, paper, leather, felt and acrylic. Never cut PVC or anything else with chlorine in it: \
its smoke is poisonous and eats the mirrors. Switch the extractor fan on before the first cut and leave \
it running for five minutes after the last.",
    ),
    Piece::Heading(2, "Safety"),
    Piece::Item("Long hair is tied back and sleeves are rolled up at every machine that turns."),
    Piece::Item("The red mushroom button by the pillar stops all machines at once."),
    Piece::Item(
        "Oily rags go into the metal bin with the lid, since they can set themselves on fire.",
    ),
    Piece::Item(
        "The first-aid box hangs between the two windows; used items are written on its list.",
    ),
    Piece::Heading(2, "Leaving"),
    Piece::Words(
        "Sweep your bench, put tools back on their outlines, empty the dust bag when it is two thirds \
full, and switch off the compressor. The last one out sets the alarm with the code of the month and \
throws the key into the letter box.",
    ),
];
