//! The `sekisho` command. Everything is in the library; see `sekisho::cli`.

fn main() -> std::process::ExitCode {
    sekisho::cli::run()
}
