//! The page, served to this machine's browsers.

mod answer;
mod curation;
mod export;
mod guard;
mod item;
mod labelling;
mod map;
mod page;
mod pictures;
mod routes;
mod searching;
mod token;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use self::token::Token;
use crate::error::ExploreError;
use crate::exploration::Exploration;

/// Threads that answer, and those that decode images, train and save.
const ANSWERING: usize = 2;
const WORKING: usize = 8;
/// How long answers that are under way may take when the server is told to stop.
const LAST: Duration = Duration::from_secs(2);
/// How often labels that could not be saved are tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// A server of the page of an [`Exploration`], for the browsers of this machine.
pub struct Server {
    exploration: Arc<Exploration>,
    listener: TcpListener,
    address: SocketAddr,
    token: Token,
    stopper: Stopper,
}

/// Stops a [`Server`], from any thread.
#[derive(Debug, Clone, Default)]
pub struct Stopper(Arc<Notify>);

impl Stopper {
    /// Lets [`Server::run`] return, now or as soon as it is called.
    pub fn stop(&self) {
        self.0.notify_one();
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
        let listen = || {
            let listener = TcpListener::bind(wanted)?;
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) =
            listen().map_err(|source| ExploreError::Listen { address: wanted, source })?;
        let (token, stopper) = (Token::random()?, Stopper::default());
        Ok(Self { exploration: Arc::new(exploration), listener, address, token, stopper })
    }

    /// The page's address, with its token: `http://127.0.0.1:PORT/TOKEN/`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}/{}/", self.address, self.token.text())
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

    /// Answers until it is stopped. Labels that could not be saved are tried again every five seconds, and at the end.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Server`] if the system fails it, or if labels could not be saved to the end.
    pub fn run(self) -> Result<(), ExploreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(ANSWERING)
            .max_blocking_threads(WORKING)
            .enable_all()
            .build()
            .map_err(ExploreError::Server)?;
        let Self { exploration, listener, address, token, stopper } = self;
        let answered = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let again = tokio::spawn(save_again(Arc::clone(&exploration)));
            let stopped = Arc::new(Notify::new());
            let told = Arc::clone(&stopped);
            let until = async move {
                stopper.0.notified().await;
                told.notify_one();
            };
            let router = routes::router(Arc::clone(&exploration), token, address.port());
            let answers = axum::serve(listener, router).with_graceful_shutdown(until);
            let answered = tokio::select! {
                answered = answers.into_future() => answered,
                () = async { stopped.notified().await; tokio::time::sleep(LAST).await } => Ok(()),
            };
            again.abort();
            answered
        });
        runtime.shutdown_timeout(LAST);
        answered.map_err(ExploreError::Server)?;
        exploration.save().map_err(|reason| {
            ExploreError::Server(std::io::Error::other(format!("labels are not saved: {reason}")))
        })
    }
}

/// Tries to save, now and then.
async fn save_again(exploration: Arc<Exploration>) {
    loop {
        tokio::time::sleep(AGAIN).await;
        let exploration = Arc::clone(&exploration);
        // The page shows why it failed.
        let _ = tokio::task::spawn_blocking(move || exploration.save()).await;
    }
}
