//! How the program is linked.
//!
//! It is linked to a fixed address. What is at one need not be moved there: of a program that can be
//! anywhere, the loader changes 21,000 pointers in 80 pages at each start, a tenth of the time that a
//! listing of one process takes, and the changes and their list take 1.5 MiB of memory. Libraries, the
//! stack and the heap are where chance puts them, as ever.
//!
//! What finds its way up the stack, for the trace of a panic, is linked into it where the compiler has it
//! as an archive. As a library of its own, which std asks for, it takes the loader longer at each start than
//! the C library does.

use std::env::var;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of_target = |what: &str| var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    // Where it is known to work.
    let is_known = of_target("OS") == "linux"
        && of_target("ENV") == "gnu"
        && ["x86_64", "aarch64"].contains(&of_target("ARCH").as_str());
    if is_known && !of_target("FEATURE").split(',').any(|feature| feature == "crt-static") {
        println!("cargo::rustc-link-arg-bin=fdscope=-no-pie");
        // In others than releases, what std needs is not known when the archive is looked through.
        if var("PROFILE").as_deref() == Ok("release") && var("HOST") == var("TARGET") && has_unwinder() {
            println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
        }
    }
}

/// Whether the linker finds the archive `libgcc_eh.a`.
fn has_unwinder() -> bool {
    let linker = var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let asked = Command::new(linker).arg("-print-file-name=libgcc_eh.a").output();
    // A name that leads nowhere is given back as it is.
    asked.is_ok_and(|told| {
        let path = String::from_utf8_lossy(&told.stdout).into_owned();
        Path::new(path.trim_end()).is_absolute() && Path::new(path.trim_end()).exists()
    })
}
