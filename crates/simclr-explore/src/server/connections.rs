//! Connections, each with one request.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::answer::{Answer, Refusal, Response};
use super::guard::{Guard, HEADERS};
use super::permits::Permits;
use super::request::Head;
use super::routes::route;
use crate::exploration::Exploration;

/// Connections at a time; others wait until one ends.
const CONNECTIONS: usize = 128;
/// Requests that are worked on at a time: images are decoded, which takes memory.
const WORKING: usize = 8;
/// How long a client may keep silent, or not read.
const SILENT: Duration = Duration::from_secs(10);
/// How long, and how much, is read of a body that nobody wants, so that its sender sees the answer.
const UNWANTED: (Duration, usize) = (Duration::from_secs(1), 16 << 20);

/// All that a connection needs to be answered.
pub(super) struct Connections<'a> {
    exploration: &'a Arc<Exploration>,
    guard: &'a Guard,
    open: Permits,
    working: Permits,
}

impl<'a> Connections<'a> {
    pub(super) fn new(exploration: &'a Arc<Exploration>, guard: &'a Guard) -> Self {
        let (open, working) = (Permits::new(CONNECTIONS), Permits::new(WORKING));
        Self { exploration, guard, open, working }
    }

    /// Answers, each connection on a thread of its own, until `stopped` is set and somebody connects. Then it waits for the answers under way.
    pub(super) fn answer(&self, listener: &TcpListener, stopped: &AtomicBool) {
        thread::scope(|scope| {
            loop {
                let permit = self.open.wait();
                let accepted = listener.accept();
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                // One that failed is one client's, or the system has no room for more at this moment.
                let Ok((stream, _)) = accepted else {
                    thread::sleep(Duration::from_millis(10));
                    continue;
                };
                scope.spawn(move || {
                    let _permit = permit;
                    // A client that has gone needs no answer.
                    let _ = self.serve(stream);
                });
            }
        });
    }

    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(SILENT))?;
        stream.set_write_timeout(Some(SILENT))?;
        stream.set_nodelay(true)?;
        let is_refused = self.answer_one(&mut stream)?;
        stream.shutdown(Shutdown::Write)?;
        if is_refused {
            stream.set_read_timeout(Some(UNWANTED.0))?;
            drain(&mut stream);
        }
        Ok(())
    }

    /// Reads a request and answers it, if the client asks at all. Whether it was refused.
    pub(super) fn answer_one(&self, stream: &mut (impl Read + Write)) -> io::Result<bool> {
        let response = match Head::read(stream) {
            Ok(None) => return Ok(false),
            Ok(Some(mut head)) => self.response(&mut head, stream),
            Err(refusal) => Err(refusal),
        };
        let is_refused = response.is_err();
        response.unwrap_or_else(Response::from).send(stream, &HEADERS)?;
        Ok(is_refused)
    }

    fn response(&self, head: &mut Head, stream: &mut (impl Read + Write)) -> Answer {
        let below = self.guard.below(head)?.to_owned();
        if head.waits() {
            let go_on = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
            go_on.map_err(|_| Refusal::new(408, "the client has gone"))?;
        }
        let work = route(head, &below, stream)?;
        let _permit = self.working.wait();
        let worked = catch_unwind(AssertUnwindSafe(|| work(self.exploration)));
        worked.unwrap_or_else(|_| Err(Refusal::new(500, "this request made the server panic")))
    }
}

/// Reads what nobody wants.
fn drain(stream: &mut TcpStream) {
    let (until, mut left) = (Instant::now() + UNWANTED.0, UNWANTED.1);
    let mut part = vec![0; 64 << 10];
    while left > 0 && Instant::now() < until {
        match stream.read(&mut part) {
            Ok(found) if found > 0 => left = left.saturating_sub(found),
            _ => return,
        }
    }
}
