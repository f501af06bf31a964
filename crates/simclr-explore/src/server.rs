//! The page, served to this machine's browsers.

mod answer;
mod connections;
mod curation;
mod export;
mod guard;
#[cfg(fuzzing)]
mod in_memory;
mod item;
mod labelling;
mod map;
mod page;
mod permits;
mod pictures;
mod request;
mod routes;
mod searching;
mod token;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use self::connections::Connections;
use self::guard::Guard;
use self::token::Token;
use crate::error::ExploreError;
use crate::exploration::Exploration;

/// How often labels that could not be saved are tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// A server of the page of an [`Exploration`], for the browsers of this machine.
pub struct Server {
    exploration: Arc<Exploration>,
    listener: TcpListener,
    guard: Guard,
    stopper: Stopper,
}

/// Stops a [`Server`], from any thread.
#[derive(Debug, Clone)]
pub struct Stopper {
    stopped: Arc<AtomicBool>,
    address: SocketAddr,
}

impl Stopper {
    /// Lets [`Server::run`] return, now or as soon as it is called, when the answers under way are given.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the server, which waits for somebody to ask.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

impl Server {
    /// Listens at a port of 127.0.0.1; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Listen`] if another program has the port, [`ExploreError::NoToken`] if the system gives no random numbers.
    pub fn bind(exploration: Exploration, port: u16) -> Result<Self, ExploreError> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let failed = |source| ExploreError::Listen { address: wanted, source };
        let listener = TcpListener::bind(wanted).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let guard = Guard::new(Token::random()?, address.port());
        let stopper = Stopper { stopped: Arc::default(), address };
        Ok(Self { exploration: Arc::new(exploration), listener, guard, stopper })
    }

    /// The page's address, with its token: `http://127.0.0.1:PORT/TOKEN/`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}/{}/", self.stopper.address, self.guard.token())
    }

    /// What stops it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// What it shows.
    #[must_use]
    pub fn exploration(&self) -> &Exploration {
        &self.exploration
    }

    /// Answers a request that is in memory. For the fuzz target, which asks without a network.
    #[cfg(fuzzing)]
    pub fn answer_bytes(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = in_memory::InMemory::new(request);
        let connections = Connections::new(&self.exploration, &self.guard);
        let answered = connections.answer_one(&mut stream);
        answered.expect("an answer in memory is always sent");
        stream.answer
    }

    /// Answers until it is stopped. Labels that could not be saved are tried again every five seconds, and at the end.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Server`] if labels could not be saved to the end.
    pub fn run(self) -> Result<(), ExploreError> {
        let Self { exploration, listener, guard, stopper } = self;
        let ended = (Mutex::new(false), Condvar::new());
        std::thread::scope(|scope| {
            scope.spawn(|| save_again(&exploration, &ended));
            Connections::new(&exploration, &guard).answer(&listener, &stopper.stopped);
            *ended.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            ended.1.notify_all();
        });
        exploration.save().map_err(|reason| {
            ExploreError::Server(std::io::Error::other(format!("labels are not saved: {reason}")))
        })
    }
}

/// Tries to save, now and then, until it has ended.
fn save_again(exploration: &Exploration, (ended, changed): &(Mutex<bool>, Condvar)) {
    let mut has_ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
    while !*has_ended {
        let waited = changed.wait_timeout(has_ended, AGAIN);
        has_ended = waited.unwrap_or_else(PoisonError::into_inner).0;
        // The page shows why it failed.
        let _ = exploration.save();
    }
}
