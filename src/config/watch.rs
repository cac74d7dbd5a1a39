//! Tells when one of the files changed.
//!
//! Folders are watched, not files: editors replace a file by another of its name, and Kubernetes swaps the symbolic
//! link `..data` that all files of a volume go through. Where a file or folder is a link, the folder that it leads to
//! is watched too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::load::is_rule_file;
use super::settings::Files;

/// Writers get this long to finish: changes that follow each other sooner are one.
const QUIET: Duration = Duration::from_millis(200);
/// A change is told after this long even while others follow.
const PATIENCE: Duration = Duration::from_secs(2);

/// Changes of the files.
#[derive(Debug)]
pub struct Changes {
    files: Files,
    watcher: RecommendedWatcher,
    events: mpsc::Receiver<()>,
    folders: BTreeSet<PathBuf>,
}

/// Begins to watch.
pub fn watch(files: &Files) -> notify::Result<Changes> {
    // One waiting event is enough: whoever takes it looks at all files.
    let (sender, events) = mpsc::channel(1);
    let concerned = files.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error, such as an overflow of the queue, may hide a change.
        if event.is_ok_and(|event| !concerns(&concerned, &event)) {
            return;
        }
        let _ = sender.try_send(());
    })?;
    let mut changes = Changes { files: files.clone(), watcher, events, folders: BTreeSet::new() };
    changes.follow()?;
    Ok(changes)
}

impl Changes {
    /// Waits for the next change. Ends only when the operating system ends the watching.
    pub async fn next(&mut self) -> Option<()> {
        self.events.recv().await?;
        let last = Instant::now() + PATIENCE;
        while let Ok(event) = timeout_at(last.min(Instant::now() + QUIET), self.events.recv()).await {
            event?;
            if Instant::now() >= last {
                break;
            }
        }
        // Folders may have been replaced, and links may lead elsewhere now. One that is gone may come back: its
        // parent is watched.
        let _ = self.follow();
        Some(())
    }

    /// Watches the folders that there are now. The first error is given when none could be watched.
    fn follow(&mut self) -> notify::Result<()> {
        let wanted = folders(&self.files);
        for gone in self.folders.difference(&wanted) {
            let _ = self.watcher.unwatch(gone);
        }
        let mut watched = BTreeSet::new();
        let mut first_error = None;
        for folder in wanted {
            // A folder that was removed and made again is another one, though its path is the same.
            let _ = self.watcher.unwatch(&folder);
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    watched.insert(folder);
                }
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        self.folders = watched;
        match first_error {
            Some(error) if self.folders.is_empty() => Err(error),
            Some(_) | None => Ok(()),
        }
    }
}

/// The folders in which a change of a file shows.
fn folders(files: &Files) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    let mut parent = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        folders.insert(folder.to_owned());
        if let Ok(real) = path.canonicalize() {
            folders.extend(real.parent().map(Path::to_owned));
        }
    };
    parent(&files.config);
    parent(&files.users);
    parent(&files.rules);
    // The rule files themselves, and where links among them lead.
    for entry in std::fs::read_dir(&files.rules).into_iter().flatten().flatten() {
        parent(&entry.path());
    }
    folders.insert(files.rules.clone());
    folders.retain(|folder| folder.is_dir());
    folders
}

/// Whether an event can have changed what the files say.
fn concerns(files: &Files, event: &Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Create(_)
        | EventKind::Remove(_)
        | EventKind::Modify(_)
        | EventKind::Any
        | EventKind::Other => {}
        // Our own reading of the files must not be taken for a change.
        EventKind::Access(_) => return false,
    }
    event.need_rescan() || event.paths.is_empty() || event.paths.iter().any(|path| is_ours(files, path))
}

fn is_ours(files: &Files, path: &Path) -> bool {
    let Some(name) = path.file_name() else { return true };
    let named = [&files.config, &files.users, &files.rules].into_iter().any(|file| file.file_name() == Some(name));
    named || is_rule_file(path) || name.to_string_lossy().starts_with("..")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use tokio::time::timeout;

    use super::*;

    /// Long enough for a busy machine; short enough to wait for where nothing should come.
    const SOON: Duration = Duration::from_secs(10);
    const NOTHING: Duration = Duration::from_millis(700);

    fn files(folder: &Path) -> Files {
        let files = Files {
            config: folder.join("config/sekisho.toml"),
            users: folder.join("config/users.toml"),
            rules: folder.join("rules"),
        };
        fs::create_dir_all(folder.join("config")).unwrap();
        fs::create_dir_all(&files.rules).unwrap();
        for file in [&files.config, &files.users, &files.rules.join("10.toml")] {
            fs::write(file, "").unwrap();
        }
        files
    }

    async fn changed(changes: &mut Changes) -> bool {
        timeout(SOON, changes.next()).await.is_ok()
    }

    async fn quiet(changes: &mut Changes) -> bool {
        timeout(NOTHING, changes.next()).await.is_err()
    }

    #[tokio::test]
    async fn each_way_of_writing_a_file_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let mut changes = watch(&files).unwrap();
        let rule = files.rules.join("10.toml");

        fs::write(&rule, "# in place").unwrap();
        assert!(changed(&mut changes).await, "in place");
        fs::write(files.rules.join(".10.toml.new"), "# replaced").unwrap();
        fs::rename(files.rules.join(".10.toml.new"), &rule).unwrap();
        assert!(changed(&mut changes).await, "replaced as editors do it");
        fs::write(files.rules.join("20.toml"), "").unwrap();
        assert!(changed(&mut changes).await, "a new file");
        fs::remove_file(&rule).unwrap();
        assert!(changed(&mut changes).await, "removed");
        fs::write(&files.users, "# users").unwrap();
        assert!(changed(&mut changes).await, "users");
        fs::write(&files.config, "# configuration").unwrap();
        assert!(changed(&mut changes).await, "configuration");
    }

    #[tokio::test]
    async fn reading_and_other_files_are_no_changes() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let mut changes = watch(&files).unwrap();
        fs::read(&files.users).unwrap();
        fs::read(files.rules.join("10.toml")).unwrap();
        fs::write(files.rules.join(".10.toml.swp"), "an editor's own").unwrap();
        fs::write(files.rules.join("README.md"), "about the rules").unwrap();
        assert!(quiet(&mut changes).await);
    }

    #[tokio::test]
    async fn many_writes_are_one_change() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let mut changes = watch(&files).unwrap();
        for number in 0..50 {
            fs::write(files.rules.join(format!("{number}.toml")), "").unwrap();
        }
        assert!(changed(&mut changes).await);
        assert!(quiet(&mut changes).await, "told once");
    }

    /// A volume of Kubernetes: files are links through `..data`, a link that is swapped.
    #[tokio::test]
    async fn a_swapped_link_is_a_change_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let volume = &files.rules;
        fs::remove_file(volume.join("10.toml")).unwrap();
        let publish = |version: &str| {
            fs::create_dir(volume.join(version)).unwrap();
            fs::write(volume.join(version).join("10.toml"), version).unwrap();
            symlink(version, volume.join("..data_tmp")).unwrap();
            fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
        };
        publish("..2026_01");
        symlink("..data/10.toml", volume.join("10.toml")).unwrap();
        let mut changes = watch(&files).unwrap();
        for version in ["..2026_02", "..2026_03"] {
            publish(version);
            assert!(changed(&mut changes).await, "{version}");
            assert_eq!(fs::read_to_string(volume.join("10.toml")).unwrap(), version);
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_replaced_is_still_watched() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let mut changes = watch(&files).unwrap();
        fs::rename(&files.rules, folder.path().join("old")).unwrap();
        fs::create_dir(&files.rules).unwrap();
        assert!(changed(&mut changes).await, "replaced");
        fs::write(files.rules.join("30.toml"), "").unwrap();
        assert!(changed(&mut changes).await, "written in the new folder");
    }
}
