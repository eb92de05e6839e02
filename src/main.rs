//! The binary: picks a mode.

fn main() -> std::process::ExitCode {
    slash_heroku::cli::main()
}
