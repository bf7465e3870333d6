//! The `fdscope` program: arguments in, exit status out. The work is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    fdscope::run(std::env::args_os())
}
