//! The page's own files.

use super::answer::{Response, bytes_of};

const HTML: &str = include_str!("../../assets/explore.html");
const STYLE: &str = include_str!("../../assets/explore.css");

/// The scripts by their names.
const SCRIPTS: [(&str, &str); 5] = [
    ("explore.js", include_str!("../../assets/explore.js")),
    ("map.js", include_str!("../../assets/map.js")),
    ("server.js", include_str!("../../assets/server.js")),
    ("cards.js", include_str!("../../assets/cards.js")),
    ("pictures.js", include_str!("../../assets/pictures.js")),
];

/// A file of the page; `None` if there is none of that name.
pub(super) fn file(name: &str) -> Option<Response> {
    let (kind, text) = match name {
        "" => ("text/html; charset=utf-8", HTML),
        "explore.css" => ("text/css; charset=utf-8", STYLE),
        _ => {
            let script = SCRIPTS.iter().find(|script| script.0 == name)?;
            ("text/javascript; charset=utf-8", script.1)
        }
    };
    Some(bytes_of(kind, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_never_set_markup_nor_ask_elsewhere() {
        for (name, script) in SCRIPTS {
            for forbidden in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                "http:",
                "https:",
                "setAttribute(\"style\"",
                "localStorage",
            ] {
                assert!(!script.contains(forbidden), "{name}: {forbidden}");
            }
        }
    }

    #[test]
    fn the_policy_lets_all_of_the_page_through() {
        // No script or style inside of the page, nor an attribute that would be one.
        for forbidden in ["<style", " style=", " onclick=", "javascript:", "http:", "https:"] {
            assert!(!HTML.contains(forbidden), "{forbidden}");
        }
        assert_eq!(HTML.matches("<script").count(), 1);
        assert!(HTML.contains("<script type=\"module\" src=\"explore.js\"></script>"));
    }
}
