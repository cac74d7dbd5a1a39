//! Threads that run sessions: each has one event loop, and a session stays on its thread.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;

/// A session as it is handed to a thread: called there, it starts the session's task.
type Job = Box<dyn FnOnce() + Send>;

/// The threads.
#[derive(Debug)]
pub struct Workers {
    jobs: Vec<UnboundedSender<Job>>,
    threads: Vec<JoinHandle<()>>,
    turn: AtomicUsize,
}

impl Workers {
    /// Starts threads. `on_park` runs on each whenever its event loop is about to sleep.
    pub fn start(count: usize, on_park: impl Fn() + Clone + Send + Sync + 'static) -> io::Result<Self> {
        let mut workers = Self { jobs: Vec::new(), threads: Vec::new(), turn: AtomicUsize::new(0) };
        for number in 0..count.max(1) {
            let (sender, mut receiver) = unbounded_channel::<Job>();
            let (started, has_started) = std::sync::mpsc::channel();
            let on_park = on_park.clone();
            let run = move || {
                let runtime = Builder::new_current_thread()
                    .enable_all()
                    .on_thread_park(on_park)
                    .build_local(LocalOptions::default());
                let runtime = match runtime {
                    Ok(runtime) => {
                        let _ = started.send(Ok(()));
                        runtime
                    }
                    Err(error) => {
                        let _ = started.send(Err(error));
                        return;
                    }
                };
                runtime.block_on(async {
                    while let Some(job) = receiver.recv().await {
                        job();
                    }
                });
                // A name that is being looked up would be waited for.
                runtime.shutdown_background();
            };
            workers.threads.push(std::thread::Builder::new().name(format!("worker-{number}")).spawn(run)?);
            has_started.recv().map_err(|_| io::Error::other("a worker thread ended"))??;
            workers.jobs.push(sender);
        }
        Ok(workers)
    }

    /// Hands a session to the next thread in turn; `session` is called there, and what it gives runs there.
    pub fn run<S, F>(&self, session: S)
    where
        S: FnOnce() -> F + Send + 'static,
        F: Future<Output = ()> + 'static,
    {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.jobs.len().max(1);
        if let Some(jobs) = self.jobs.get(turn) {
            // Only a thread that ended with the process refuses.
            let _ = jobs.send(Box::new(move || {
                spawn_local(session());
            }));
        }
    }

    /// Ends the threads and whatever runs on them.
    pub fn stop(self) {
        drop(self.jobs);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn sessions_run_on_all_threads_and_a_panic_ends_only_its_own() {
        let workers = Workers::start(2, || {}).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        for n in 0..4 {
            let sender = sender.clone();
            workers.run(move || async move {
                let local = std::rc::Rc::new(n);
                tokio::task::yield_now().await;
                assert_ne!(*local, 1, "this session fails");
                sender.send((n, std::thread::current().name().map(str::to_owned))).unwrap();
            });
        }
        drop(sender);
        let mut done: Vec<_> = receiver.iter().collect();
        done.sort();
        assert_eq!(done.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [0, 2, 3]);
        assert!(done.iter().any(|(_, name)| name.as_deref() == Some("worker-1")));
        workers.stop();
    }

    #[test]
    fn parking_is_told() {
        let parked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&parked);
        let workers = Workers::start(1, move || {
            count.fetch_add(1, Ordering::Relaxed);
        })
        .unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        workers.run(move || async move {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            sender.send(()).unwrap();
        });
        receiver.recv().unwrap();
        workers.stop();
        assert!(parked.load(Ordering::Relaxed) > 0);
    }
}
