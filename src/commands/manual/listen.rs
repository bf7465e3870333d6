//! The page of `fdscope listen`.

use super::{Manual, Section, registry, shared};
use crate::commands::listen;

pub(super) fn manual() -> Manual {
    Manual {
        command: "listen",
        sections: vec![
            fields(),
            examples(),
            exit_status(),
            shared::environment(),
            shared::see_also(
                "`fdscope`(1), `fdscope-list`(1), `fdscope-limits`(1), `ss`(8), `listen`(2), `accept4`(2), \
                 `sd_listen_fds`(3), `tcp`(7), `unix`(7), `vsock`(7), `sock_diag`(7)",
            ),
        ],
    }
}

fn fields() -> Section {
    registry::fields(Section::new("FIELDS"), listen::fields())
}

fn examples() -> Section {
    Section::new("EXAMPLES").example(
        "What clients do when the queue is full:",
        "fdscope listen 127.0.0.1:8080 --backlog 5 --accept none",
    )
}

fn exit_status() -> Section {
    shared::exit_status()
}
