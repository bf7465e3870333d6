//! How the program is linked.
//!
//! It is linked to a fixed address. What is at one need not be moved there: of a program that can be
//! anywhere, the loader changes 21,000 pointers in 80 pages at each start, a tenth of the time that a
//! listing of one process takes, and the changes and their list take 1.5 MiB of memory. Libraries, the
//! stack and the heap are where chance puts them, as ever.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of_target = |what: &str| var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    // Where it is known to work.
    let is_known = of_target("OS") == "linux"
        && of_target("ENV") == "gnu"
        && ["x86_64", "aarch64"].contains(&of_target("ARCH").as_str());
    if is_known && !of_target("FEATURE").split(',').any(|feature| feature == "crt-static") {
        println!("cargo::rustc-link-arg-bin=fdscope=-no-pie");
    }
}
