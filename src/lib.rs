//! fdscope shows what a Linux process holds open, and how near it is to its limits.
//!
//! # Map
//!
//! Imports go one way, downwards; `tests/layering.rs` checks it.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`cli`] | the command line: root command and global options |
//! | [`commands`] | one file a subcommand: its arguments and its run |
//! | [`context`] | where /proc is, where output goes and how |
//! | [`watch`] | from what selectors report to what is worth telling |
//! | [`query`] | `--where`: expressions over fields |
//! | [`proc`] | reading /proc: the scan, who holds and shares what, other ends, threads, limits |
//! | [`sock`] | sockets: sock_diag netlink and the tables, namespaces, both ends of connections |
//! | [`kind`] | one file a kind of fd: its claim, its decoder, its fields |
//! | [`listener`] | listening sockets of our own, and what becomes of the connections |
//! | [`load`] | clients that ask a server, look at every answer, and take the time |
//! | [`selector`] | ways to wait for readiness: one contract, one file a backend |
//! | [`render`] | table, JSON, JSON lines, TSV; knows no kinds |
//! | [`sys`] | raw system calls, the only unsafe code |
//! | [`model`] | plain data |
//! | [`error`], [`exit`] | what ends a command, and with which status |
//!
//! Data flows from [`proc`] and [`sock`], which know the kernel, through [`kind`], which knows
//! the formats, as [`model`] records to [`render`], which knows the reader.

pub mod cli;
pub mod commands;
pub mod context;
pub mod error;
pub mod exit;
pub mod kind;
pub mod listener;
pub mod load;
pub mod model;
pub mod proc;
pub mod query;
pub mod render;
pub mod selector;
pub mod sock;
pub mod sys;
pub mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

/// Completes a command line, or gives a shell the script that asks for that, if `COMPLETE` wants it.
fn complete() -> Option<ExitCode> {
    std::env::var_os("COMPLETE")?;
    let directory = std::env::current_dir().ok();
    let complete = clap_complete::CompleteEnv::with_factory(cli::for_completion);
    match complete.try_complete(std::env::args_os(), directory.as_deref()) {
        Ok(true) => Some(ExitCode::SUCCESS),
        Ok(false) => None,
        Err(error) => {
            let error = error.to_string();
            let text = format!("COMPLETE: {}", error.trim_start_matches("error: ").trim_end());
            Some(exit::end(&Err(error::Error::Usage(text))))
        }
    }
}

/// Runs the program and gives its exit status.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    if let Some(completed) = complete() {
        return completed;
    }
    let args: Vec<OsString> = args.into_iter().collect();
    match cli::parse(&args) {
        Ok(cli) => exit::end(&cli.run()),
        Err(error) => exit::refuse(&error),
    }
}
