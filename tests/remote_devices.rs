//! A run over devices of two other processes, on loopback: it learns what one device learns, and a server that
//! dies ends it with an error and a checkpoint. Views on such a device are those of the CPU.
//!
//! ```text
//! cargo build --release --features remote --examples
//! cargo test --release --features remote --test remote_devices
//! ```

mod example;

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use burn::tensor::{Device, Int, Tensor};
use example::example;
use image::{Rgb, RgbImage};
use simclr::augment::{DeviceAugmentation, SimClrAugmentation, ViewKey};
use simclr::loss::{DecoupledNtXent, NtXent, SupCon};
use simclr::train::device_from_name;

const TOKEN: &str = "a token of this test";

/// A process that lends its CPU.
struct Server {
    process: Child,
    name: String,
}

impl Server {
    fn start(folder: &Path, number: usize) -> Self {
        // A port that was free a moment ago.
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new(example("device_server"))
            .args(["--address", "127.0.0.1", "--port", &port.to_string(), "--key"])
            .arg(folder.join(format!("{number}.key")))
            .env("SIMCLR_REMOTE_TOKEN", TOKEN)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut name = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut name).unwrap();
        let name = name.trim().to_owned();
        assert!(name.starts_with("remote:"), "the server printed {name:?}");
        Self { process, name }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn run(device: &str, epochs: usize, folder: &Path, token: &str) -> Command {
    let mut command = Command::new(example("stl10_pretrain"));
    command.args(["--images=40", &format!("--epochs={epochs}"), "--device", device]);
    if folder.join("checkpoint").exists() {
        command.arg("--resume");
    } else {
        let tiny = ["--image-size=16", "--encoder=resnet18x0.03125_cifar", "--batch-size=16"];
        command.args(tiny).arg("--out");
    }
    command.arg(folder);
    command.env("SIMCLR_REMOTE_TOKEN", token).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The loss of each epoch.
fn losses(folder: &Path) -> Vec<f64> {
    let log = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|line| line["event"] == "step").filter_map(|line| line["loss"].as_f64()).collect()
}

#[test]
fn two_processes_learn_what_one_device_learns() {
    let folder = tempfile::tempdir().unwrap();
    let servers = [0, 1].map(|number| Server::start(folder.path(), number));
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    let both = format!("{},{}", servers[0].name, servers[1].name);
    // Two shares of each batch on either side, as batch normalisation sees a device's share.
    for (device, out) in [("flex,flex", &one), (both.as_str(), &two)] {
        let output = run(device, 2, out, TOKEN).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let (one, two) = (losses(&one), losses(&two));
    assert!(one.len() >= 4, "{one:?}");
    for (a, b) in one.iter().zip(&two) {
        assert!((a - b).abs() < 1e-4 * a, "{one:?} and {two:?}");
    }
}

/// Beyond the 64 images that NT-Xent takes as one matrix: devices of other machines have no kernels of ours.
#[test]
fn the_tiled_losses_of_another_process_are_those_of_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), 0);
    run_on(&server, "losses_on_the_device_of_the_environment");
}

/// Runs an ignored test of this file on the server's device, in a process of its own: the token is read from the
/// environment, which only another process can be given.
fn run_on(server: &Server, test: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test, "--nocapture"])
        .env("SIMCLR_REMOTE_TOKEN", TOKEN)
        .env(DEVICE, &server.name)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("1 passed"), "{printed}");
}

const DEVICE: &str = "SIMCLR_TEST_DEVICE";

#[test]
#[ignore = "run by the_tiled_losses_of_another_process_are_those_of_this_one"]
fn losses_on_the_device_of_the_environment() {
    let there = device_from_name(&std::env::var(DEVICE).unwrap()).unwrap();
    let (n, d) = (90, 12);
    let numbers = Tensor::<1, Int>::arange(0..2 * 90 * 12, &Device::flex()).float();
    let numbers = (numbers * 1.37).sin().into_data();
    let labels: Vec<usize> = (0..n).map(|i| i % 7).collect();
    let ids: Vec<usize> = (0..n).map(|i| i / 2).collect();
    let of = |device: &Device| -> Vec<f64> {
        let z = Tensor::<1>::from_data(numbers.clone(), &device.clone().autodiff());
        let z = z.reshape([2 * n, d]).require_grad();
        let [a, b] = [0, n].map(|start| z.clone().narrow(0, start, n));
        let nt_xent = NtXent::new(0.02).unwrap();
        let found = [
            nt_xent.forward_with_ranks(a.clone(), b.clone()),
            DecoupledNtXent::new(0.3).unwrap().forward_with_ranks(a.clone(), b.clone()),
            SupCon::new(0.3).unwrap().forward_with_ranks(&[a.clone(), b.clone()], &labels),
        ];
        let with_ids = nt_xent.forward_with_ids(a, b, &ids);
        let sum = found.iter().fold(with_ids, |sum, found| sum + found.loss.clone());
        let gradients = sum.backward();
        let gradient = z.grad(&gradients).unwrap().into_data();
        let ranks = found.into_iter().map(|found| found.ranks.into_data());
        let all = ranks.chain([gradient, sum.inner().into_data()]);
        all.flat_map(|data| data.iter::<f64>().collect::<Vec<_>>()).collect()
    };
    for (index, (here, there)) in of(&Device::flex()).iter().zip(of(&there)).enumerate() {
        assert!((here - there).abs() < 1e-4 * here.abs().max(1.0), "{index}: {here}, {there}");
    }
}

#[test]
fn views_made_on_a_device_of_another_process_match_the_cpu_path() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), 0);
    run_on(&server, "views_on_the_device_of_the_environment");
}

#[test]
#[ignore = "the test before starts it, in a process with a token"]
fn views_on_the_device_of_the_environment() {
    let device = device_from_name(&std::env::var(DEVICE).unwrap()).unwrap();
    let policy = SimClrAugmentation::stl10().with_size(16).unwrap();
    let on_device = DeviceAugmentation::new(policy.clone()).unwrap();
    let (mut expected, mut prepared) = (Vec::new(), Vec::new());
    for (index, side) in (0..).zip([12, 30, 90]) {
        let image =
            RgbImage::from_fn(side, side, |x, y| Rgb([(7 * x) as u8, (x * y) as u8, y as u8]));
        for view in 0..4 {
            let params = policy.draw(ViewKey { seed: 5, pass: 0, index, view }, side, side);
            let mut values = vec![0.0; policy.view_len()];
            policy.view_into(&image, &params, &mut values).unwrap();
            expected.append(&mut values);
            prepared.push(on_device.prepare(&image, &params).unwrap());
        }
    }
    let found = on_device.views(&prepared, &device).into_data().try_to_vec::<f32>().unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-3, "expected {expected}, found {found}");
    }
}

#[test]
fn a_server_that_dies_ends_the_run_with_a_checkpoint_to_resume_from() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), 0);
    let out = folder.path().join("run");
    let both = format!("flex,{}", server.name);
    let process = run(&both, 500, &out, TOKEN).spawn().unwrap();
    let started = Instant::now();
    while !out.join("checkpoint").join("epoch-0002").exists() {
        assert!(started.elapsed() < Duration::from_mins(2), "no checkpoint was saved");
        std::thread::sleep(Duration::from_millis(20));
    }
    server.process.kill().unwrap();
    let died = Instant::now();
    let output = process.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(died.elapsed() < Duration::from_mins(2), "it took {:?} to notice", died.elapsed());
    assert!(
        message.contains("training stopped") && message.contains("resume from it"),
        "{message}"
    );

    // On the devices that are left.
    let epochs = losses(&out).len() / 2 + 1;
    let output = run("flex,flex", epochs, &out, TOKEN).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_wrong_token_and_a_server_that_is_not_there_are_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), 0);
    let refused = |token: &str, name: &str| {
        let output = run(name, 1, &folder.path().join("run"), token).output().unwrap();
        assert!(!output.status.success());
        assert!(!folder.path().join("run").exists(), "nothing is left behind");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let message = refused("another token", &server.name);
    assert!(message.contains("rejected the credential"), "{message}");
    let message = refused("", &server.name);
    assert!(message.contains("SIMCLR_REMOTE_TOKEN, found none"), "{message}");
    let name = server.name.clone();
    drop(server);
    let message = refused(TOKEN, &name);
    assert!(message.contains("cannot use the device"), "{message}");
}
