//! Runs that are killed (SIGKILL: nothing of theirs runs any more) or told to end (SIGTERM) resume to the same weights.

mod example;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use example::example;

/// How often a run ends before its end: `SIMCLR_KILLS`, or 20 times.
fn kills() -> u32 {
    let asked = std::env::var("SIMCLR_KILLS").ok();
    asked.map_or(20, |kills| kills.parse().expect("SIMCLR_KILLS is a number"))
}

/// Starts or resumes a run of 8 tiny epochs.
fn start(run: &Path) -> Child {
    let mut command = Command::new(example("stl10_pretrain"));
    if run.join("config.toml").exists() {
        command.arg("--resume");
    } else {
        let tiny = ["--image-size=16", "--encoder=resnet18x0.03125_cifar", "--batch-size=8"];
        command.args(tiny).args(["--images=40", "--epochs=8", "--out"]);
    }
    command.arg(run).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Lets a run go on to its end: its encoder's weights, without the file's header, which lists them by name
/// but its own metadata in any order.
fn finish(run: &Path) -> Vec<u8> {
    let output = start(run).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = std::fs::read(run.join("encoder.safetensors")).unwrap();
    let (length, rest) = file.split_at(8);
    let header = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    rest[header..].to_vec()
}

/// Lines of a run's log so far.
fn lines(run: &Path) -> usize {
    std::fs::read_to_string(run.join("metrics.jsonl")).map_or(0, |log| log.lines().count())
}

/// A sequence of numbers in 0..1 that looks random and is the same each time (golden ratio).
fn fraction(number: u32) -> f64 {
    (f64::from(number) * 0.618_033_988_749_895).fract()
}

#[test]
fn a_run_that_ends_at_any_moment_resumes_each_time_to_the_same_weights() {
    let folder = tempfile::tempdir().unwrap();
    let whole_run = folder.path().join("whole");
    let whole = finish(&whole_run);
    let lines = lines(&whole_run);

    let mut resumed_midway = 0;
    for kill in 0..kills() {
        let run = folder.path().join(format!("killed-{kill}"));
        let mut process = start(&run);
        // A moment of the run's own time, which is the same on a busy machine: so many lines logged, and
        // then anywhere between this line and the next, or in a checkpoint in between.
        let moment = (fraction(kill) * lines as f64) as usize;
        while self::lines(&run) < moment && process.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(u64::from(kill % 20)));
        if cfg!(unix) && kill % 2 == 1 {
            Command::new("kill").arg(process.id().to_string()).status().unwrap();
        } else {
            process.kill().unwrap();
        }
        process.wait().unwrap();
        resumed_midway += u32::from(run.join("checkpoint").exists());
        assert!(
            finish(&run) == whole,
            "kill {kill}, after {:.0} % of a run",
            100.0 * fraction(kill)
        );
    }
    let kills = kills();
    assert!(
        resumed_midway > kills / 2,
        "only {resumed_midway} runs of {kills} got as far as a checkpoint"
    );
}
