//! The process around the sessions: threads, listeners, refreshing catalogs, reload, shutdown.
//!
//! In: a [`Node`] and where to listen. Out: sessions handed to worker threads. Never knows: messages of a protocol,
//! decisions, files of the configuration.

pub mod admin;
pub mod catalogs;
pub mod listen;
pub mod signals;
pub mod workers;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use listen::{Address, Protocol};
pub use workers::Workers;

use self::admin::Admin;
use crate::session::{Node, Wish};

/// For sessions that were told to end at once.
const LAST_GRACE: Duration = Duration::from_secs(5);

/// Records of the audit log that nothing waits for are written at the latest after this.
const AUDIT_FLUSH: Duration = Duration::from_millis(100);

/// Learned statements are written at the latest after this.
const LEARNED_SAVE: Duration = Duration::from_secs(1);

/// What the process is told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// To read rules and users again.
    Reload,
    /// To end: the first time in peace, the second time at once.
    Stop,
}

/// Puts new rules and users in force, or says why not.
pub type Reload = Arc<dyn Fn(&Node) + Send + Sync>;

/// How the process serves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where clients connect.
    pub clients: Vec<Address>,
    /// The admin port.
    pub admin: Option<SocketAddr>,
    /// Worker threads; one for every two processors when absent.
    pub workers: Option<usize>,
    /// How often catalogs are read again though nothing is known to have changed.
    pub catalog_refresh: Duration,
}

/// A process that listens and serves.
#[derive(Debug)]
pub struct Server {
    node: Arc<Node>,
    workers: Arc<Workers>,
    catalogs: Workers,
    listeners: Vec<(TcpListener, Address)>,
    admin: Option<TcpListener>,
}

impl Server {
    /// Listens, and starts the threads. Catalogs are being read from now on.
    pub async fn start(node: Arc<Node>, settings: &Settings) -> io::Result<Self> {
        let mut listeners = Vec::new();
        for address in &settings.clients {
            listeners.push(listen::bind(address).await?);
        }
        let admin = match settings.admin {
            Some(address) => Some(listen::bind_tcp(address).await?),
            None => None,
        };
        let count = settings.workers.unwrap_or_else(default_workers);
        let audit = node.audit.clone();
        let workers = Arc::new(Workers::start(count, move || audit.flush_required())?);
        // A large catalog keeps its thread busy; neither sessions nor listeners wait for it.
        let catalogs = Workers::start(1, || {})?;
        for source in node.sources.values() {
            let (node, source, every) = (Arc::clone(&node), Arc::clone(source), settings.catalog_refresh);
            catalogs.run(move || async move { catalogs::keep_current(&node, &source, every).await });
        }
        Ok(Self { node, workers, catalogs, listeners, admin })
    }

    /// Where clients can connect.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.listeners.iter().map(|(_, address)| address)
    }

    /// Where the admin port is.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.local_addr().ok()
    }

    /// Serves until it is told to stop, and ends what runs.
    pub async fn run(self, mut orders: Receiver<Order>, reload: Reload) {
        let Self { node, workers, catalogs, listeners, admin } = self;
        let accepting: Vec<JoinHandle<()>> = listeners
            .into_iter()
            .map(|(listener, address)| {
                tokio::spawn(listen::accept(Arc::clone(&node), Arc::clone(&workers), listener, address))
            })
            .collect();
        let admin = admin.map(|listener| serve_admin(&node, listener));
        let flushing = tokio::spawn(flush_audit(Arc::clone(&node)));
        let learning = tokio::spawn(follow_learned(Arc::clone(&node)));
        while let Some(Order::Reload) = orders.recv().await {
            let (node, reload) = (Arc::clone(&node), Arc::clone(&reload));
            // Reading files waits; accepting does not.
            let _ = tokio::task::spawn_blocking(move || reload(&node)).await;
        }
        for task in &accepting {
            task.abort();
        }
        if let Some(admin) = &admin {
            admin.admin.set_stopping();
        }
        end_sessions(&node, &mut orders).await;
        if let Some(admin) = admin {
            let _ = admin.stop.send(());
            let _ = timeout(LAST_GRACE, admin.task).await;
        }
        for task in accepting {
            let _ = task.await;
        }
        catalogs.stop();
        if let Ok(workers) = Arc::try_unwrap(workers).map_err(|_| ()) {
            workers.stop();
        }
        flushing.abort();
        learning.abort();
        node.learning.follow_files();
        node.audit.stop();
    }
}

/// One thread for every two processors: a thread with several sessions at work sleeps less often, so each statement
/// costs a fifth less, and the other processors have the databases' and clients' network to serve.
fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().div_ceil(2))
}

async fn flush_audit(node: Arc<Node>) {
    loop {
        tokio::time::sleep(AUDIT_FLUSH).await;
        node.audit.flush();
    }
}

async fn follow_learned(node: Arc<Node>) {
    loop {
        tokio::time::sleep(LEARNED_SAVE).await;
        if node.learning.has_files() {
            let node = Arc::clone(&node);
            let _ = tokio::task::spawn_blocking(move || node.learning.follow_files()).await;
        }
    }
}

/// Lets running statements and transactions end, for a time or until told again.
async fn end_sessions(node: &Node, orders: &mut Receiver<Order>) {
    node.registry.want(Wish::EndWhenIdle);
    let told_again = async {
        while let Some(order) = orders.recv().await {
            if order == Order::Stop {
                return;
            }
        }
        // Nobody is left to tell.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = node.registry.emptied() => return,
        () = told_again => {}
        () = tokio::time::sleep(node.timeouts.shutdown) => {}
    }
    node.registry.want(Wish::EndNow);
    let _ = timeout(LAST_GRACE, node.registry.emptied()).await;
}

struct RunningAdmin {
    admin: Admin,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

fn serve_admin(node: &Arc<Node>, listener: TcpListener) -> RunningAdmin {
    let admin = Admin::new(Arc::clone(node));
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        let _ = stopped.await;
    };
    let task = tokio::spawn(admin.clone().serve(listener, stopped));
    RunningAdmin { admin, stop, task }
}
