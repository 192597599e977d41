//! What people write.

use proptest::prelude::*;

use super::*;

#[test]
fn a_description_as_people_write_it() {
    let wiki = "h2. Steps\n\nOpen *the page* and _wait_ for {{x = 1}}, -never- +now+.\n\n# First\n#* a dot\n#* another\n# Second\n* Dot\n- Dash\n\n{code:title=Main.java|language=java}\nint a = 1; // *not bold*\n{code}\nsee [the docs|https://e.org/a] or [https://e.org], ask [~ann], look at [^log.txt] and !shot.png|thumbnail!\n----\nbq. said before";
    let expected = "## Steps\n\nOpen **the page** and *wait* for `x = 1`, ~~never~~ now.\n\n1. First\n   - a dot\n   - another\n2. Second\n- Dot\n- Dash\n\n```java\nint a = 1; // *not bold*\n```\nsee [the docs](https://e.org/a) or <https://e.org>, ask @ann, look at [attachment: log.txt] and [attachment: shot.png]\n---\n> said before";
    assert_eq!(to_markdown(wiki), expected);
}

#[test]
fn tables_have_headings_or_empty_ones() {
    assert_eq!(
        to_markdown("||A||B||\n|a \\| x|[b|https://e.org]|\n\n|c|d|"),
        "| A | B |\n| --- | --- |\n| a \\| x | [b](https://e.org) |\n\n|  |  |\n| --- | --- |\n| c | d |"
    );
}

#[test]
fn boxes_are_set_in() {
    assert_eq!(
        to_markdown(
            "{panel:title=Mind|borderStyle=dashed}\nthis\n{panel}\n{quote}a\nb{quote}\nend"
        ),
        "> **Mind**\n>\n> this\n\n> a\n> b\n\nend"
    );
}

#[test]
fn code_ends_where_it_ends_or_with_the_text() {
    assert_eq!(to_markdown("{code}a{code} b"), "```\na\n```\n b");
    assert_eq!(
        to_markdown("{noformat}\nh1. x\n```"),
        "~~~~\nh1. x\n```\n~~~~"
    );
}

#[test]
fn marks_within_words_are_none() {
    for plain in [
        "2*3*4",
        "snake_case_name",
        "a-b-c",
        "C++",
        "5 * 3 * 2",
        "-1",
        "!important",
        "[x]",
        "{unknown}",
        "h7. x",
        "well!",
    ] {
        assert_eq!(to_markdown(plain), plain);
    }
    assert_eq!(
        to_markdown("\\*as it is\\* and one\\\\two"),
        "*as it is* and one\ntwo"
    );
    assert_eq!(to_markdown("{color:red}red{color} H~2~O"), "red H~2~O");
}

#[test]
fn lines_of_nothing_but_marks_take_no_longer_than_others() {
    for mark in [
        "*a ", "_", "[", "[a|", "{", "{{", "!a", "|", "\\", "* ", "{quote}", "{code}",
    ] {
        to_markdown(&mark.repeat(LONGEST_TEXT / 4 / mark.len()));
    }
}

proptest! {
    #[test]
    fn any_text_becomes_one(wiki in r"(?s)[\x00-\x7fäß—*#|{}\[\]_!-]{0,200}") {
        to_markdown(&wiki);
    }

    #[test]
    fn plain_words_come_through_as_they_are(words in "[a-z]{1,8}( [a-z]{1,8}){0,10}") {
        prop_assert_eq!(to_markdown(&words), words);
    }
}
