//! Names of files and classes stay text.

use std::path::Path;

use simclr_data::escape_name;

use crate::runs::{HOSTILE_CLASS, HOSTILE_FILE, count, hostile, report};

/// The names of all tags.
fn tags(html: &str) -> Vec<&str> {
    html.split('<').skip(1).map(|tag| tag.split([' ', '>', '\n']).next().unwrap()).collect()
}

#[test]
fn hostile_names_are_text_wherever_they_stand() {
    let (run, data) = hostile();
    let html = report(run, data).unwrap().to_html();
    let escaped = "&lt;img src=x onerror=alert(1)&gt;";
    assert!(count(&html, escaped) > 10 && !html.contains(HOSTILE_CLASS));
    assert!(
        html.contains("a&quot; onload=&quot;alert(2)&#39; &lt;script&gt;alert(3)&lt;!--{{script}}")
    );
    assert!(html.contains("&lt;/script&gt;"));
    assert_eq!(count(&html, "<script"), 2, "the data and the script");
    assert_eq!(count(&html, "</script>"), 2);
    assert!(!tags(&html).contains(&"!--"));
    // The data is as it was, for a script that sets text.
    let json = html.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(json).unwrap();
    let classes = data["map"]["classes"].as_array().unwrap();
    assert!(classes.iter().any(|name| name == HOSTILE_CLASS), "{classes:?}");
    let points = data["map"]["points"].as_array().unwrap();
    let name = escape_name(Path::new(HOSTILE_FILE));
    assert!(points.iter().any(|point| point["name"].as_str().unwrap().contains(&name)));
}

#[test]
fn the_page_loads_nothing_and_runs_nothing_but_its_own_script() {
    let html = report(&hostile().0, &hostile().1).unwrap().to_html();
    assert!(html.contains("content=\"default-src 'none'; img-src data:; style-src 'sha256-"));
    for address in html.split("src=\"").skip(1) {
        assert!(address.starts_with("data:image/jpeg;base64,"), "{}", &address[..40]);
    }
    for address in html.split("href=\"").skip(1) {
        assert!(address.starts_with('#') || address.starts_with("data:,"), "{}", &address[..40]);
    }
    // The policy forbids style attributes, and would leave the page without what they say.
    assert!(!html.contains(" style=\"") && !html.contains("url(http"));
}
