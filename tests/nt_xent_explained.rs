//! The example `nt_xent_explained` as a learner meets it: with the tutorials' numbers, with numbers of one's own, and with
//! mistakes in them.

mod example;

use std::path::Path;
use std::process::{Command, Output};

use example::example;

fn explain(arguments: &[&str]) -> Output {
    let defaults = arguments.iter().all(|argument| !argument.starts_with("--times"));
    let times = defaults.then_some("--times=0");
    Command::new(example("nt_xent_explained")).args(times).args(arguments).output().unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = explain(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The message of a run that must fail without a panic, and before it prints anything.
fn mistake(arguments: &[&str]) -> String {
    let output = explain(arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?} succeeded");
    assert!(output.stdout.is_empty() && !message.contains("panicked"), "{message}");
    message
}

/// The numbers of the first line that begins with `start`, after spaces.
fn numbers(text: &str, start: &str) -> Vec<f64> {
    let line = text.lines().find(|line| line.trim_start().starts_with(start)).unwrap();
    line.split_whitespace().filter_map(|word| word.trim_end_matches('°').parse().ok()).collect()
}

#[test]
fn the_tutorials_numbers_give_the_tutorials_cosines_and_loss() {
    let text = printed(&[]);
    assert!(text.contains("image 1: view 1 = [3, -2], view 4 = [2.8, -1.75]"), "{text}");
    assert_eq!(numbers(&text, "1.0000"), [1.0, -0.124, 0.9648, 0.8944, -0.0948, 0.9679]);
    for form in ["naive", "vectorized", "tiled"] {
        assert_eq!(numbers(&text, form), [1.1327], "{text}");
    }
    assert!(text.contains("Negatives nearer than the partner: 2."), "{text}");
    assert!(text.contains("gets the share 0.2576, and -ln of it is l(0, 3) = 1.356385."), "{text}");
}

#[test]
fn a_pair_costs_less_the_nearer_it_comes_and_more_as_it_moves_away() {
    let text = printed(&[]);
    let rows: Vec<Vec<f64>> = ["90°", "60°", "30°", "0°", "-30°", "-60°", "-90°"]
        .map(|angle| numbers(&text, angle))
        .into();
    for column in [2, 3] {
        let losses: Vec<f64> = rows.iter().map(|row| row[column]).collect();
        assert!(losses[..4].is_sorted_by(|a, b| a > b), "{losses:?} does not fall");
        assert!(losses[3..].is_sorted_by(|a, b| a < b), "{losses:?} does not rise");
    }
    assert!((rows[3][1] - 1.0).abs() < 1e-4, "{text}");
}

#[test]
fn the_guides_table_of_temperatures_is_what_is_printed() {
    let text = printed(&[]);
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/nt-xent.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    for t in ["0.1", "0.5", "1.0"] {
        let row = guide.lines().find(|line| line.starts_with(&format!("| {t} |"))).unwrap();
        let stated: Vec<f64> =
            row.split([' ', '|', '%']).filter_map(|word| word.parse().ok()).collect();
        assert_eq!(numbers(&text, &format!("{t} ")), stated);
    }
}

#[test]
fn the_guides_picture_is_what_is_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let chart = folder.path().join("chart.svg");
    printed(&["--chart", chart.to_str().unwrap()]);
    let drawn = std::fs::read_to_string(chart).unwrap();
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/temperature.svg");
    assert_eq!(drawn, std::fs::read_to_string(guide).unwrap());
}

#[test]
fn a_file_gives_what_the_same_numbers_on_the_command_line_give() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("views.csv");
    let text =
        "\u{feff}# name, numbers\r\ncat, 1, 0\r\n\r\ncat,0.9,0.2\r\ndog,0,1\r\ndog,0.1,0.8\r\n";
    std::fs::write(&file, text).unwrap();
    let from_file = printed(&["--file", file.to_str().unwrap(), "--temperature=0.5"]);
    let rows = ["--a=1,0;0,1", "--b=0.9,0.2;0.1,0.8", "--temperature=0.5"];
    assert!(from_file.contains("cat: view 0 = [1, 0], view 2 = [0.9, 0.2]"), "{from_file}");
    assert_eq!(from_file.replace("cat:", "image 0:").replace("dog:", "image 1:"), printed(&rows));
}

#[test]
fn times_are_of_forward_alone_and_of_forward_and_backward() {
    let text = printed(&["--times=4"]);
    assert!(text.contains("n = 4 images, d = 128"), "{text}");
    assert!(text.contains("forward and backward"), "{text}");
    assert_eq!(text.lines().last().unwrap().matches(" x").count(), 2, "{text}");
}

#[test]
fn views_of_one_number_and_views_alike_are_explained_too() {
    assert!(printed(&["--a=1;2", "--b=3;-4"]).contains("Views of one number cannot be turned."));
    let alike = printed(&["--a=1,1;1,1", "--b=1,1;1,1", "--temperature=0.002"]);
    assert!((numbers(&alike, "tiled")[0] - 3_f64.ln()).abs() < 1e-3, "{alike}");
    assert!(alike.lines().all(|line| line.len() < 200), "{alike}");
    assert!(!alike.contains("NaN"), "{alike}");
    let apart = printed(&["--a=1,0;-1,0", "--b=1,0;-1,0", "--temperature=0.002"]);
    assert!(!apart.contains("NaN"), "{apart}");
}

#[test]
fn mistakes_on_the_command_line_are_named() {
    for (arguments, message) in [
        (
            &["--a=1,2;3", "--b=1,2;3,4"][..],
            "expected view a of \"image 1\" to be 2 numbers, like the first view, found 1",
        ),
        (&["--a=1,2;3,4", "--b=1,2"], "expected --b to be 2 views, one for each of --a, found 1"),
        (
            &["--a=1,2;3,NaN", "--b=1,2;3,4"],
            "expected number 2 of row 2 of --a to be between -1e15 and 1e15, found \"NaN\"",
        ),
        (&["--a=1,2;3,1e30", "--b=1,2;3,4"], "found \"1e30\""),
        (&["--a=1,2;3,x\u{1b}[2J", "--b=1,2;3,4"], "found \"x\\u{1b}[2J\""),
        (&["--a=", "--b="], "expected number 1 of row 1 of --a"),
        (&["--a=1,2", "--b=2,1"], "expected the number of images to be in 2..=16"),
        (&["--a=1,2;0,0", "--b=1,2;3,4"], "to have a direction, found 0"),
        (&["--a=1,2;3,4"], "--b <ROWS>"),
        (&["--temperature=0"], "expected --temperature to be at least 0.002, found 0"),
        (&["--temperature=NaN"], "expected --temperature to be at least 0.002, found NaN"),
        (&["--temperature=inf"], "expected temperature to be finite and positive, found inf"),
        (&["--file=nowhere.csv"], "cannot use nowhere.csv"),
        (&["--file=nowhere.csv", "--a=1", "--b=1"], "cannot be used with"),
        (&["--times=1000"], "1000 is not in 0..=256"),
    ] {
        let found = mistake(arguments);
        assert!(found.contains(message), "expected {message}, found {found}");
    }
}

#[test]
fn mistakes_in_a_file_are_named_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let many = (0..40).map(|i| format!("{i},1,2")).collect::<Vec<_>>().join("\n");
    let huge = "cat,1,2\n".repeat(200_000);
    for (text, message) in [
        (
            &b""[..],
            "expected the number of images to be in 2..=16 (a single one has no negatives), found 0",
        ),
        (b"cat,1,2\n", "expected \"cat\" to be on two lines, one for each view, found one"),
        (b"cat,1,2\ncat,1,3\n", "expected the number of images to be in 2..=16"),
        (
            b"cat,1,2\ncat,1,3\ncat,4,5\n",
            "expected line 3 to be one of two of its name, found a third",
        ),
        (b"cat,1,2\ncat,1\ndog,1,2\ndog,3,4\n", "expected view b of \"cat\" to be 2 numbers"),
        (
            b"cat,1,2\ncat,1,oops\n",
            "expected number 2 of line 2 to be between -1e15 and 1e15, found \"oops\"",
        ),
        (b"{\"cat\": 1}\n", "expected line 1 to be a name and numbers, with commas between"),
        (b"cat,\xff\n", "expected the file to be text in UTF-8, found invalid utf-8"),
        (many.as_bytes(), "expected the number of images to be in 2..=16"),
        (huge.as_bytes(), "expected the file to be at most 1048576 bytes, found more"),
    ] {
        let file = folder.path().join("views.csv");
        std::fs::write(&file, text).unwrap();
        let found = mistake(&["--file", file.to_str().unwrap()]);
        assert!(found.contains(message), "expected {message}, found {found}");
    }
    assert!(mistake(&["--file", folder.path().to_str().unwrap()]).contains("cannot use"));
}
