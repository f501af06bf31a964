//! The commands of `docs/tutorials.md`, in small.

use std::path::Path;

use simclr::model::Naming;

use crate::published::{publish, write_stl10};
use crate::support::success;

/// The commands in the right-hand column of a section's table, but for downloads.
fn commands(section: &str) -> Vec<String> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let lines = rows.filter_map(|row| row.split_once(" | ")).map(|(_, right)| right);
    let spans = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    let commands = spans.filter(|span| span.starts_with("simclr ") && !span.contains("download"));
    commands.map(str::to_owned).collect()
}

/// Runs a command as it stands, with flags that make it small where it trains.
fn run(folder: &Path, command: &str) {
    // Hundreds of steps: with an EfficientNet they would take minutes.
    let other = "--encoder resnet18x0.0625_cifar";
    let command = match command.strip_prefix("simclr lr-find") {
        Some(_) => &command.replace("--weights WEIGHTS.pth --encoder efficientnet_b0", other),
        None => command,
    };
    let mut arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
    let small = ["--epochs=1", "--image-size=32"];
    let trains = match arguments[..] {
        ["pretrain", "--resume", ..] => &[][..],
        ["pretrain", ..] => &["--batch-size=8", small[0], small[1]],
        ["lr-find", ..] => &["--batch-size=8", "--image-size=16"],
        ["views", ..] => &["--rows=2"],
        ["eval", "finetune", ..] => &[small[0]],
        _ => &[],
    };
    arguments.extend(trains);
    success(folder, &arguments);
}

#[test]
fn every_command_of_the_page_on_tutorials_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Ok(page) = std::fs::read_to_string(root.join("docs/tutorials.md")) else {
        return; // The packaged crate has no docs.
    };
    let mut count = 0;
    for section in page.split("\n## ").skip(1) {
        let folder = tempfile::tempdir().unwrap();
        write_stl10(folder.path(), "STL10");
        std::fs::rename(folder.path().join("photo.png"), folder.path().join("PHOTO.png")).unwrap();
        publish(folder.path(), "WEIGHTS.pth", "efficientnet_b0", Naming::Torchvision);
        for command in commands(section) {
            run(folder.path(), &command);
            count += 1;
        }
    }
    assert!(count >= 12, "found {count} commands");
}
