//! The admin port: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever runs the process.
//!
//! It shows no names of users, no statements and no values, and takes no orders.

mod metrics;
mod process;

use std::fmt::Write;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::session::Node;

/// What the admin port speaks of.
#[derive(Debug, Clone)]
pub struct Admin {
    node: Arc<Node>,
    stopping: Arc<AtomicBool>,
}

impl Admin {
    /// The admin port of a node.
    pub fn new(node: Arc<Node>) -> Self {
        Self { node, stopping: Arc::default() }
    }

    /// From now on the node is not ready: it takes no new clients.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Answers requests until `stopped` is done.
    pub async fn serve(
        self,
        listener: TcpListener,
        stopped: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        axum::serve(listener, self.router()).with_graceful_shutdown(stopped).await
    }

    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .with_state(self)
    }

    /// Why no statement could be served now; empty when it could.
    fn obstacles(&self) -> Vec<String> {
        let mut obstacles = Vec::new();
        if self.stopping.load(Ordering::Acquire) {
            obstacles.push("the node is stopping".to_owned());
        }
        // Writing is tried again here too: a node that is not ready may get no statements that would do it.
        self.node.audit.flush();
        if let Some(reason) = self.node.audit.status().broken {
            obstacles.push(format!("the audit log cannot be written: {reason}"));
        }
        for (name, source) in &self.node.sources {
            if !metrics::has_catalog(source) {
                obstacles.push(format!("the catalog of `{name}` has not been read"));
            }
        }
        obstacles
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    match metrics::render(&admin.node, admin.obstacles().is_empty()) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn ready(State(admin): State<Admin>) -> (StatusCode, String) {
    let obstacles = admin.obstacles();
    if obstacles.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let mut text = String::from("not ready\n");
    for obstacle in obstacles {
        let _ = writeln!(text, "{obstacle}");
    }
    (StatusCode::SERVICE_UNAVAILABLE, text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;
    use crate::audit::{Audit, Settings, Subject};
    use crate::catalog::SnapshotBuilder;
    use crate::net::TlsMode;
    use crate::session::node::{Listeners, Rules, Timeouts};
    use crate::session::{Source, SourceSpec};
    use crate::sql::Engine;

    fn node(audit: Audit) -> Arc<Node> {
        let spec = SourceSpec {
            name: "shop".into(),
            engine: Engine::Postgres,
            host: "127.0.0.1".into(),
            port: 5432,
            dbname: "shop".into(),
            user: "sekisho".into(),
            password: None,
            tls: TlsMode::Disable,
            ca: None,
            max_connections: 50,
            tls_server_name: None,
        };
        let source = Source::new(spec).unwrap();
        Arc::new(Node::new(Rules::default(), [source], audit, Listeners::default(), Timeouts::default()))
    }

    async fn get(admin: &Admin, path: &str) -> (u16, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let server = tokio::spawn(admin.clone().serve(listener, async { stopped.await.unwrap_or(()) }));
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        stop.send(()).unwrap();
        server.await.unwrap().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    #[tokio::test]
    async fn a_node_is_ready_when_it_can_serve_and_says_what_is_missing() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("audit");
        let audit = Audit::open(Settings::new(&dir), "a").unwrap();
        let node = node(audit.clone());
        let admin = Admin::new(Arc::clone(&node));
        assert_eq!(get(&admin, "/healthz").await, (200, "ok\n".to_owned()));
        let expected = "not ready\nthe catalog of `shop` has not been read\n".to_owned();
        assert_eq!(get(&admin, "/readyz").await, (503, expected));
        node.sources["shop"].catalog.replace(SnapshotBuilder::new(1, "shop", Engine::Postgres, 150_018).build());
        assert_eq!(get(&admin, "/readyz").await, (200, "ready\n".to_owned()));
        std::fs::remove_dir_all(&dir).unwrap();
        std::fs::write(&dir, "").unwrap();
        audit.session_opened(&Subject::default()).unwrap();
        audit.flush();
        let (status, text) = get(&admin, "/readyz").await;
        assert!(status == 503 && text.contains("the audit log cannot be written: "), "{text}");
        std::fs::remove_file(&dir).unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        assert_eq!(get(&admin, "/readyz").await.0, 200);
        admin.set_stopping();
        assert!(get(&admin, "/readyz").await.1.contains("the node is stopping"));
        assert_eq!(get(&admin, "/").await.0, 404);
    }

    #[tokio::test]
    async fn metrics_are_what_prometheus_reads() {
        let node = node(Audit::default());
        node.metrics.statements_permitted.add(7);
        let (status, text) = get(&Admin::new(node), "/metrics").await;
        assert_eq!(status, 200);
        for line in [
            "sekisho_statements_total{verdict=\"permitted\"} 7",
            "sekisho_source_connections{source=\"shop\"} 0",
            "sekisho_source_connections_max{source=\"shop\"} 50",
            "sekisho_ready 0",
            "# TYPE sekisho_statements_total counter",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is missing in\n{text}");
        }
        assert!(text.contains("\nprocess_resident_memory_bytes "));
        let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
