//! How far the log has come, and with `durability = "disk"` the thread that brings records to the disk.

use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::Notify;

/// How far the log has come, in sequence numbers; read by every session.
#[derive(Debug, Default)]
pub struct Progress {
    /// The last record made.
    pub made: AtomicU64,
    /// The last record that something waits for.
    pub required: AtomicU64,
    /// The last record that the operating system has.
    pub written: AtomicU64,
    /// The last record that is as safe as `durability` asks for.
    pub safe: AtomicU64,
    /// Bytes written since the log was opened.
    pub bytes: AtomicU64,
    /// Whether records cannot be written now.
    pub broken: AtomicBool,
    /// Woken when `safe` or `broken` change.
    pub changed: Notify,
    /// Why the disk refused what the operating system had taken.
    sync_error: Mutex<Option<String>>,
}

impl Progress {
    /// Whether a record is as safe as is asked for.
    pub fn is_safe(&self, sequence: u64) -> bool {
        self.safe.load(Ordering::Acquire) >= sequence
    }

    /// Says up to which record the log is safe.
    pub fn set_safe(&self, sequence: u64) {
        self.safe.fetch_max(sequence, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Says whether records can be written.
    pub fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Says that the disk refused what the operating system had taken.
    pub fn set_sync_error(&self, error: String) {
        *lock(&self.sync_error) = Some(error);
        self.set_broken(true);
    }

    /// The error of the synchronising thread, once.
    pub fn take_sync_error(&self) -> Option<String> {
        lock(&self.sync_error).take()
    }
}

/// The thread that calls `fdatasync`, for all records written since its last call at once.
#[derive(Debug)]
pub struct Synchroniser {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    task: Mutex<Task>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Task {
    files: Vec<Arc<File>>,
    reached: u64,
    stop: bool,
}

impl Synchroniser {
    /// Starts the thread.
    pub fn start(progress: Arc<Progress>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let run = move || for_thread.run(&progress);
        let thread = std::thread::Builder::new().name("audit-sync".to_owned()).spawn(run)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Asks for a file, or a folder, to be brought to the disk; then all records up to `reached` are safe.
    pub fn request(&self, file: &Arc<File>, reached: u64) {
        let mut task = lock(&self.shared.task);
        if !task.files.iter().any(|waiting| Arc::ptr_eq(waiting, file)) {
            task.files.push(Arc::clone(file));
        }
        task.reached = task.reached.max(reached);
        drop(task);
        self.shared.wake.notify_one();
    }
}

impl Drop for Synchroniser {
    /// Brings to the disk what waits, then ends the thread.
    fn drop(&mut self) {
        lock(&self.shared.task).stop = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, progress: &Progress) {
        loop {
            let mut task = lock(&self.task);
            while task.files.is_empty() {
                if task.stop {
                    return;
                }
                task = self.wake.wait(task).unwrap_or_else(PoisonError::into_inner);
            }
            let files = std::mem::take(&mut task.files);
            let reached = task.reached;
            drop(task);
            match files.iter().try_for_each(|file| file.sync_data()) {
                Ok(()) => progress.set_safe(reached),
                Err(error) => progress.set_sync_error(format!("fdatasync: {error}")),
            }
        }
    }
}

/// A lock whose data stays whole when a thread that held it panicked.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
