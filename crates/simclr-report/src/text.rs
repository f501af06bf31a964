//! Text that somebody else wrote, on its way into the page.

use std::fmt::{self, Write};
use std::path::Path;

use serde::{Serialize, Serializer};

/// A file's or a class's name, a path, an error: anything that this crate did not write itself.
///
/// It can only be printed escaped, so that nobody has to remember to. What it escapes to is text in
/// HTML, in SVG, and in a quoted attribute of either. As JSON it is itself, for [`json_in_html`].
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

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // A parser of HTML replaces some of them and drops others: show that something is there.
                c if c.is_control() && c != '\n' && c != '\t' => f.write_str("\u{fffd}")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// `value` as JSON that may stand in a `script` element: no character of it means anything to HTML, or
/// ends a line of JavaScript. Outside of strings JSON has none of these characters.
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
    use proptest::prelude::*;

    const HOSTILE: &str = "</script><img src=x onerror='alert(1)'>\"&\u{2028}\u{0}";

    #[test]
    fn what_means_something_to_html_is_escaped() {
        assert_eq!(
            Text::new(HOSTILE).to_string(),
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

    proptest! {
        #[test]
        fn any_text_stays_within_its_quotes_and_survives_json(text in ".*") {
            let escaped = Text::new(&text).to_string();
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let json = json_in_html(&Text::new(&text));
            prop_assert!(!json.contains(['<', '>', '&']));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
