//! What is reported of fds in each state.

use crate::commands::manual::{Section, table};

pub(super) fn readiness() -> Section {
    let section = Section::new("READINESS").text(
        "What is reported of an fd of which `in`, `out`, `pri` and `rdhup` are asked, measured on Linux \
         6.18; `hup`, `err` and `nval` come unasked. The sets of select are r, w and x. epoll is as \
         poll, but where it says something.",
    );
    table::readiness(section).text(
        "Things to know: the end of a pipe is `hup` without `in`, so that a program which only looks at \
         `in` spins, or never ends. The end of a stream socket is `in` and `rdhup`, and reading gives 0. A \
         FIFO that never had a writer reports nothing, one whose writer left `hup`. A connection that \
         was refused is `out` as well as `err`: only `SO_ERROR` tells it from one that is there, and \
         with select nothing else does. A datagram socket whose peer is gone says nothing of it.",
    )
}
