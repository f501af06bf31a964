//! Work that nobody waits for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something that is computed once, by a thread of its own, when somebody first asks.
pub(crate) struct Background<T> {
    state: Mutex<State<T>>,
}

/// How far it is.
pub(crate) enum State<T> {
    NotAsked,
    /// What is being done, and so much of so much of it.
    Working(&'static str, usize, usize),
    Done(Arc<T>),
    Failed(String),
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        match self {
            Self::NotAsked => Self::NotAsked,
            Self::Working(what, done, of) => Self::Working(what, *done, *of),
            Self::Done(result) => Self::Done(Arc::clone(result)),
            Self::Failed(reason) => Self::Failed(reason.clone()),
        }
    }
}

impl<T> Default for Background<T> {
    fn default() -> Self {
        Self { state: Mutex::new(State::NotAsked) }
    }
}

impl<T> Background<T> {
    pub(crate) fn state(&self) -> State<T> {
        self.lock().clone()
    }

    /// Whether the caller has to begin: nobody asked before, or it failed.
    pub(crate) fn begins(&self) -> bool {
        let mut state = self.lock();
        let begins = matches!(*state, State::NotAsked | State::Failed(_));
        if begins {
            *state = State::Working("beginning", 0, 0);
        }
        begins
    }

    pub(crate) fn tell(&self, what: &'static str, done: usize, of: usize) {
        *self.lock() = State::Working(what, done, of);
    }

    pub(crate) fn end(&self, result: Result<T, String>) {
        *self.lock() = match result {
            Ok(result) => State::Done(Arc::new(result)),
            Err(reason) => State::Failed(reason),
        };
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
