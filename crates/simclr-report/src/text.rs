//! Text that somebody else wrote, on its way into the page.

use std::fmt::Write;
use std::path::Path;

use maud::Render;
use serde::{Serialize, Serializer};

/// The name of a file or a class, a path, an error: any text that does not come from this crate.
///
/// Its only ways into the page are maud's, which escape it, and [`json_in_html`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Text {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn path(path: &Path) -> Self {
        Self(path.display().to_string())
    }
}

/// As maud escapes text, and two things more: a single quote, so that the text would be safe in an attribute with any
/// quotes, and control characters. A parser of HTML replaces some of those and drops others; U+FFFD shows that
/// something is there.
impl Render for Text {
    fn render_to(&self, html: &mut String) {
        for character in self.0.chars() {
            match character {
                '\'' => html.push_str("&#39;"),
                c if c.is_control() && c != '\n' && c != '\t' => html.push('\u{fffd}'),
                c => c.render_to(html),
            }
        }
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// `value` as JSON for a `script` element: it has no character that means anything to HTML, or that ends a line of
/// JavaScript. JSON itself uses none of these outside of strings.
pub(crate) fn json_in_html(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("numbers, texts and lists are always JSON");
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}' => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{:04x}", character as u32);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use maud::html;
    use proptest::prelude::*;

    const HOSTILE: &str = "</script><img src=x onerror='alert(1)'>\"&\u{2028}\u{0}";

    #[test]
    fn what_means_something_to_html_is_escaped() {
        assert_eq!(
            Text::new(HOSTILE).render().into_string(),
            "&lt;/script&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&quot;&amp;\u{2028}\u{fffd}"
        );
    }

    #[test]
    fn json_in_html_holds_nothing_that_ends_a_script() {
        let json = json_in_html(&[Text::new(HOSTILE)]);
        assert!(!json.contains(['<', '>', '&', '\'', '\u{2028}']), "{json}");
        let back: Vec<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back, [HOSTILE]);
    }

    #[test]
    fn text_cannot_leave_its_attribute() {
        let text = Text::new("\" onerror=\"x");
        let html = html! { img alt=(text); }.into_string();
        assert_eq!(html, "<img alt=\"&quot; onerror=&quot;x\">");
    }

    proptest! {
        #[test]
        fn any_text_stays_within_its_quotes_and_survives_json(text in ".*") {
            let escaped = Text::new(&text).render().into_string();
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let json = json_in_html(&Text::new(&text));
            prop_assert!(!json.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
