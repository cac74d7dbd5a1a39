//! Server processes that surely end with the test process.

use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs the server, waits until the test process closes its end of the pipe (as it does by ending in whatever way),
/// stops the server and removes its folder. Its own process group keeps Ctrl-C away from it.
const WATCH: &str = r#"folder=$1; shift; "$@" & server=$!; cat >/dev/null; kill -QUIT $server; sleep 0.2
kill -KILL $server 2>/dev/null; wait $server; rm -rf "$folder""#;

/// A server's folder and process. Never dropped: it lives in a static, and the watcher cleans up.
pub struct Process {
    /// The server's folder.
    pub folder: PathBuf,
    child: Child,
}

/// A folder that the server's account can use.
pub fn folder(kind: &str) -> PathBuf {
    let folder = tempfile::Builder::new().prefix(&format!("sekisho-{kind}-")).tempdir().unwrap().keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    give(&folder);
    folder
}

/// Makes the server's account the owner of a file, which matters only when tests run as root.
pub fn give(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// A port that nothing listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program run as the server's account: `nobody` when tests run as root, since servers refuse root.
pub fn command(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"]).arg(program);
    command
}

/// Runs a program to its end; a failure shows everything it wrote.
pub fn run(command: &mut Command, package: &str) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}; is `apt-get install {package}` done?"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

impl Process {
    /// Starts a server and waits until it is ready.
    pub fn start(folder: PathBuf, server: &Command, log: &Path, mut is_ready: impl FnMut() -> bool) -> Self {
        let mut watcher = Command::new("sh");
        watcher.args(["-c", WATCH, "sh"]).arg(&folder).arg(server.get_program()).args(server.get_args());
        for (name, value) in server.get_envs() {
            watcher.env(name, value.unwrap_or_default());
        }
        let output = std::fs::File::create(log).unwrap();
        watcher.stdin(Stdio::piped()).stdout(output.try_clone().unwrap()).stderr(output).process_group(0);
        let child = watcher.spawn().unwrap();
        let started = Instant::now();
        while !is_ready() {
            if started.elapsed() > Duration::from_secs(30) {
                let mut text = String::new();
                std::fs::File::open(log).unwrap().read_to_string(&mut text).unwrap();
                panic!("{server:?} is not ready after 30 seconds: {text}");
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        Self { folder, child }
    }

    /// The process id of the watcher.
    pub fn watcher(&self) -> u32 {
        self.child.id()
    }
}

const NOBODY: u32 = 65534;

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Runs a future to its end on a thread of its own, which works inside and outside of a runtime.
pub fn on_a_thread<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        scope.spawn(move || runtime().block_on(future)).join().unwrap()
    })
}
