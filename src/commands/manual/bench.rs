//! The page of `fdscope bench`.

use super::{Manual, Section, registry, shared};
use crate::commands::bench;

pub(super) fn manual() -> Manual {
    Manual {
        command: "bench",
        sections: vec![
            registry::fields(Section::new("FIELDS"), bench::fields()),
            examples(),
            shared::exit_status(),
            shared::environment(),
            shared::see_also(
                "`fdscope`(1), `fdscope-limits`(1), `fdscope-watch`(1), `prlimit`(1), `select`(2), `poll`(2), `epoll`(7), \
                 `getrlimit`(2)",
            ),
        ],
    }
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example("What do select, poll, epoll and mio cost here?", "fdscope bench")
        .example("Of 1000 fds, more and more are busy:", "fdscope bench --fds 1000 --active 1,10,100,1000")
}
