//! HTML: what a reader of the page would read, as Markdown. Scripts, styles and navigation are
//! left out, links keep their words and pictures their description.

mod depth;

use std::sync::{Arc, Mutex, PoisonError};

use domain::documents::{ExtractFault, Extracted};
use encoding_rs::Encoding;
use htmd::{
    Element, HtmlToMarkdown,
    element_handler::{HandlerResult, Handlers},
    options::{BrStyle, HeadingStyle, Options},
};

use super::{MAX_CHARS, draft, markdown, text};

/// What is not read.
const SKIPPED: [&str; 13] = [
    "script", "style", "nav", "noscript", "template", "svg", "iframe", "object", "canvas", "audio",
    "video", "select", "button",
];

/// The page as Markdown with its headings.
pub fn extract(bytes: &[u8]) -> Result<Extracted, ExtractFault> {
    let html = text::read(bytes, declared(bytes))?;
    depth::check_tags(&html)?;
    let page_title = Arc::new(Mutex::new(String::new()));
    let converter = converter(page_title.clone());
    let tree = converter
        .html_to_tree(&html)
        .map_err(|error| super::broken(error.to_string()))?;
    depth::check_tree(&tree)?;
    let mut body = text::clean(&converter.tree_to_markdown(&tree));
    if body.trim().is_empty() {
        return Err(ExtractFault::Empty);
    }
    let page_title = page_title.lock().unwrap_or_else(PoisonError::into_inner);
    if !page_title.is_empty() && !body.contains("# ") {
        body = format!("# {page_title}\n\n{body}");
    }
    if body.len() > MAX_CHARS && body.chars().count() > MAX_CHARS {
        return Err(draft::too_many_chars());
    }
    Ok(markdown::with_headings(body))
}

/// The encoding the page names in its first kilobyte.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let (_, named) = start.split_once("charset=")?;
    let label = named.trim_start_matches(['"', '\'']);
    let end = label.find(|char: char| !char.is_ascii_alphanumeric() && !"-_:".contains(char));
    Encoding::for_label(&label.as_bytes()[..end?])
}

/// Converts as this module promises, and notes the page's title on the way.
fn converter(page_title: Arc<Mutex<String>>) -> HtmlToMarkdown {
    let options = Options {
        heading_style: HeadingStyle::Atx,
        br_style: BrStyle::Backslash,
        ..Options::default()
    };
    HtmlToMarkdown::builder()
        .options(options)
        .skip_tags(SKIPPED.to_vec())
        .add_handler(vec!["a"], |handlers: &dyn Handlers, element: Element| {
            Some(handlers.walk_children(element.node))
        })
        .add_handler(vec!["img"], |_: &dyn Handlers, element: Element| {
            described(&element)
        })
        .add_handler(
            vec!["title"],
            move |handlers: &dyn Handlers, element: Element| {
                let words = handlers.walk_children(element.node).content;
                *page_title.lock().unwrap_or_else(PoisonError::into_inner) = draft::title(&words);
                None
            },
        )
        .build()
}

/// A picture's description stands for the picture.
fn described(image: &Element) -> Option<HandlerResult> {
    let alt = image
        .attrs
        .iter()
        .find(|attribute| &*attribute.name.local == "alt")?;
    Some(draft::title(&alt.value).as_str().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Extracted {
        extract(html.as_bytes()).expect("there is text")
    }

    #[test]
    fn the_reader_sees_the_words_and_not_the_machinery() {
        let page = page(
            "<!doctype html><title>Site</title><style>p{}</style><nav><a href=/>Home</a></nav>\
             <h1>Pump <em>P-7</em></h1><p>See <a href='x.html'>the chart</a> <img src=a.png alt='a curve'>.</p>\
             <script>alert(1)</script><h2>Limits</h2><table><tr><th>Part</th><th>Bar</th></tr>\
             <tr><td>Seal</td><td>12</td></tr></table>",
        );
        assert_eq!(page.text.lines().next(), Some("# Pump *P-7*"));
        assert!(
            page.text.contains("See the chart a curve."),
            "{}",
            page.text
        );
        assert!(!page.text.contains("alert") && !page.text.contains("Home"));
        assert!(
            page.text
                .lines()
                .any(|line| line.contains("| Seal") && line.contains("| 12"))
        );
        let titles: Vec<_> = page
            .headings
            .iter()
            .map(|heading| heading.title.as_str())
            .collect();
        assert_eq!(titles, ["Pump P-7", "Limits"]);
    }

    #[test]
    fn a_page_without_headings_goes_by_its_title() {
        let page =
            page("<html><head><title> The\n Title </title></head><body>Words.</body></html>");
        assert_eq!(page.text, "# The Title\n\nWords.");
    }

    #[test]
    fn the_encoding_a_page_names_is_taken() {
        let html = b"<html><meta charset=\"windows-1251\"><body>\xCF\xF0\xE8\xE2\xE5\xF2</body>";
        assert_eq!(extract(html).map(|page| page.text), Ok("Привет".into()));
    }

    #[test]
    fn a_page_of_scripts_alone_is_empty() {
        assert_eq!(
            extract(b"<html><script>x()</script></html>"),
            Err(ExtractFault::Empty)
        );
    }

    #[test]
    fn a_bottomless_page_is_refused() {
        for depth in [1_500, 1_000_000] {
            let html = format!("<html>{}deep", "<div>".repeat(depth));
            assert!(matches!(
                extract(html.as_bytes()),
                Err(ExtractFault::TooLarge(_))
            ));
        }
    }

    #[test]
    fn a_deep_page_is_read() {
        let html = format!("<html>{}deep{}", "<div>".repeat(900), "</div>".repeat(900));
        let read = std::thread::Builder::new()
            .stack_size(64 << 20)
            .spawn(move || page(&html).text);
        assert_eq!(read.expect("a thread").join().expect("no panic"), "deep");
    }

    #[test]
    fn forgotten_end_tags_do_not_count_as_depth() {
        let html = format!(
            "<html>{}<script>if (a<b) c<d</script>",
            "<p>One<br><li>two".repeat(20_000)
        );
        assert!(page(&html).text.len() > 20_000);
    }
}
