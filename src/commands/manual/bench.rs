//! The page of `fdscope bench`.

use super::{Manual, Section, registry, shared};
use crate::commands::bench;

pub(super) fn manual() -> Manual {
    Manual {
        command: "bench",
        sections: vec![
            registry::fields(Section::new("FIELDS"), bench::fields()),
            servers(),
            registry::fields(Section::new("FIELDS OF --servers"), bench::fields_of_servers()),
            examples(),
            shared::exit_status(),
            shared::environment(),
            shared::see_also(
                "`fdscope`(1), `fdscope-limits`(1), `fdscope-listen`(1), `fdscope-watch`(1), `prlimit`(1), `select`(2), `poll`(2), `epoll`(7), \
                 `getrlimit`(2)",
            ),
        ],
    }
}

fn servers() -> Section {
    Section::new("SERVERS")
        .text(
            "`--servers` starts `fdscope listen` in each of its models, in processes of its own, and asks them \
             over the loopback interface: see `fdscope-listen`(1), MODELS. Clients look at every answer. They \
             are closed loops: a connection that is busy asks again as soon as it has its answer, so that a \
             slow server is asked less, and latency is that of a server which has as much to do as it can. \
             The loads:",
        )
        .terms(
            12,
            [
                (
                    "`echo`",
                    "A line of some 30 bytes over a connection that is kept, and the same line back. For each number \
                     of `--connections`; `--busy` of them ask, the others are only there.",
                ),
                (
                    "`connect`",
                    "The same, but for a connection for each request, `--busy` at a time. Closed connections \
                     occupy their ports for a minute, so that no more than some 20,000 are made to one server.",
                ),
                (
                    "`compute`",
                    "As `echo`, but `--computing` of the busy connections have each request computed for \
                     `--compute`: a handler that uses the processor. All figures are of the others, but \
                     `computed_per_second`, `cpu_per_request` and `context_switches`.",
                ),
            ],
        )
        .text(
            "The servers of a load are there at the same time, and asked in turns, in each run; each turn \
             begins with a warm-up that does not count. Latencies are those of all runs together. Time of \
             processors is exact but for that of processes that have ended, and is the server's alone. \
             Memory is what its processes hold at the end; in `connect`, and so for threads and processes, \
             at most, as it was seen in the middle of the warm-ups. What the kernel holds for them is not \
             in it: at least 16 KiB of stack for each thread, and some KiB for each socket.",
        )
        .text(
            "Servers and clients share the machine's processors, and the clients have threads of their own, \
             `--clients`, that are event loops. So requests a second depend on both: where `client` is near \
             100, it was the client that could do no more, and `cpu_per_request` is what compares servers. \
             With more threads than processors, clients take turns with the server; with few, their \
             questions come in batches, which an event loop likes. A network would add its own time to all.",
        )
        .heading("What it shows")
        .terms(
            14,
            [
                (
                    "event loop",
                    "Least memory and fewest context switches for a connection, and the least time of a processor for a small \
                     request. It uses one processor, and whatever computes holds up all others, for as long as it \
                     takes.",
                ),
                (
                    "threads",
                    "A context switch for each request, and its stack for each connection. They use all processors, and \
                     the kernel divides the time between who computes and who does not.",
                ),
                (
                    "processes",
                    "As threads, with memory of their own for each, and milliseconds to start one: for few \
                     connections that last, and where one that fails must not take others with it.",
                ),
            ],
        )
        .heading("What limits forbid")
        .text(
            "A model for which there are not enough fds, processes or threads is left out, which is said with the \
             command that would allow it: `nofile` and `nproc`, whose soft limits are raised to the hard \
             ones, `kernel.threads-max`, `kernel.pid_max`, `vm.max_map_count`, and `pids.max` of cgroups. If \
             `--connections` asked for it, the status is 3. Servers end with `fdscope`, however that ends.",
        )
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example("What do select, poll, epoll and mio cost here?", "fdscope bench")
        .example("Of 1000 fds, more and more are busy:", "fdscope bench --fds 1000 --active 1,10,100,1000")
        .example("Threads, processes or an event loop?", "fdscope bench --servers")
        .example(
            "What does a handler that computes for 50 ms do to everybody else?",
            "fdscope bench --servers --load compute --compute 50ms",
        )
        .example(
            "What 5000 connections cost, by model:",
            "fdscope bench --servers --load echo --connections 10,5000 --jsonl |\n  \
             jq -r '[.model, .connections, .memory, .threads] | @tsv'",
        )
}
