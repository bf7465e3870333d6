//! The page of `fdscope watch`.

use super::{Manual, Section, registry, shared};
use crate::commands::watch;

pub(super) fn manual() -> Manual {
    Manual {
        command: "watch",
        sections: vec![
            registry::fields(Section::new("FIELDS"), watch::fields()),
            Section::new("EXAMPLES")
                .example("Wait until a port answers:", "fdscope watch tcp:localhost:8080 --until ready"),
            shared::exit_status(),
            shared::environment(),
            shared::see_also("`fdscope`(1), `select`(2), `poll`(2), `epoll`(7)"),
        ],
    }
}
