//! A thread that works for one device, as long as the run lasts.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::error::TrainError;

/// A thread that does the work of one device, one job after the other, with a state of type `S` between them.
///
/// It lives as long as the run: on CubeCL's backends each thread has a stream and a memory pool of its own, which a new
/// thread would have to fill again.
pub(crate) struct DeviceWorker<S> {
    name: String,
    /// `None` while the worker is dropped.
    jobs: Option<Sender<Job<S>>>,
    thread: Option<JoinHandle<()>>,
}

type Job<S> = Box<dyn FnOnce(&mut S) + Send>;

/// The result of a job, which may not be done yet.
pub(crate) struct Answer<R> {
    name: String,
    receiver: Receiver<Result<R, TrainError>>,
}

impl<S: Send + 'static> DeviceWorker<S> {
    /// A thread called `name`, that of errors too.
    pub(crate) fn spawn(name: String, mut state: S) -> Self {
        let (jobs, queue) = channel::<Job<S>>();
        let builder = std::thread::Builder::new().name(name.clone());
        let thread = builder.spawn(move || queue.into_iter().for_each(|job| job(&mut state)));
        // Without a thread, nobody takes jobs, and every answer is an error.
        Self { name, jobs: Some(jobs), thread: thread.ok() }
    }

    /// Queues a job behind those before it, and returns at once.
    pub(crate) fn ask<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut S) -> R + Send + 'static,
    ) -> Answer<R> {
        let (sender, receiver) = channel();
        let name = self.name.clone();
        let job = Box::new(move |state: &mut S| {
            // Nobody waits for the answer if the step has failed elsewhere.
            let _ = sender.send(TrainError::catch(&name, || Ok(job(state))));
        });
        // A worker that has ended drops the job, and with it the sender of the answer.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(job));
        Answer { name: self.name.clone(), receiver }
    }
}

impl<S> Drop for DeviceWorker<S> {
    fn drop(&mut self) {
        drop(self.jobs.take()); // The thread ends after its last job.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // A panic has been reported as a job's answer.
        }
    }
}

impl<R> Answer<R> {
    /// The answer of work that `name` does here and now.
    pub(crate) fn of(name: &str, work: impl FnOnce() -> R) -> Self {
        let (sender, receiver) = channel();
        let _ = sender.send(TrainError::catch(name, || Ok(work())));
        Self { name: name.to_owned(), receiver }
    }

    /// Waits until the host has done the job. The device may still compute.
    ///
    /// # Errors
    ///
    /// [`TrainError::Stopped`] if the job panicked, or the thread has ended.
    pub(crate) fn wait(self) -> Result<R, TrainError> {
        let ended = || TrainError::stopped(format!("{} failed: its thread has ended", self.name));
        self.receiver.recv().map_err(|_| ended())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_done_in_order_on_one_thread_with_the_state_of_those_before() {
        let worker = DeviceWorker::spawn("device 1".to_owned(), Vec::new());
        let answers: Vec<_> = (0..20)
            .map(|number| {
                worker.ask(move |done: &mut Vec<i32>| {
                    done.push(number);
                    (done.clone(), std::thread::current().id())
                })
            })
            .collect();
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.wait().unwrap()).collect();
        for (number, (done, thread)) in (0..).zip(&answers) {
            assert_eq!(*done, (0..=number).collect::<Vec<i32>>());
            assert_eq!(*thread, answers[0].1);
            assert_ne!(*thread, std::thread::current().id());
        }
    }

    #[test]
    fn a_device_that_fails_is_an_error_that_names_it() {
        let worker = DeviceWorker::spawn("device 1".to_owned(), ());
        let error = worker.ask(|()| panic!("no such server")).wait().unwrap_err().to_string();
        assert!(error.starts_with("training stopped: device 1 failed: no such server"), "{error}");
        let here = Answer::of("device 0", || panic!("out of memory")).wait();
        let error = here.unwrap_err().to_string();
        assert!(error.starts_with("training stopped: device 0 failed: out of memory"), "{error}");
    }

    #[test]
    fn a_worker_whose_thread_has_ended_answers_with_an_error_and_does_not_hang() {
        let worker: DeviceWorker<()> = DeviceWorker {
            name: "device 2".to_owned(),
            jobs: Some(channel().0), // Its receiver is gone.
            thread: None,
        };
        let error = worker.ask(|()| 1).wait().unwrap_err().to_string();
        assert!(error.starts_with("training stopped: device 2 failed: its thread"), "{error}");
    }
}
