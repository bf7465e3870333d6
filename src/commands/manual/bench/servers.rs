//! What `--servers` measures.

use super::Section;

pub(super) fn servers() -> Section {
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
                     `--compute`: a handler that uses the processor. Requests a second and latencies are \
                     those of the others; `computed_per_second` tells of these.",
                ),
            ],
        )
        .text(
            "The servers of a load, with one number of connections, are there at the same time, and asked in turns, in \
             each run; each turn begins with a warm-up that does not count. Latencies are those of all runs together. \
             Time of processors is the server's alone, and not the clients'; in `connect` it is that of its whole \
             life, its start included. Memory, threads and processes are those at the end; in `connect` the most of \
             them that were seen in the middle of the warm-ups. What the kernel holds for them is not in it: at least \
             16 KiB of stack for each thread, and some KiB for each socket.",
        )
        .text(
            "Servers and clients share the machine's processors, so that requests a second depend on both: where \
             `client` is near 100, it was the client that could do no more, and `cpu_per_request` is what \
             compares servers. The clients are event loops too, in `--clients` threads. With one of them, \
             questions come in batches, which an event loop answers in batches; with many, they come one by one, \
             and the clients take the server's processors away, of which a single thread is entitled to the \
             least. So on a machine with two processors, the event loop answered twice as many requests as \
             threads and processes with one client thread, and fewer than they with eight. Try what is like your own \
             clients. A network would add its own time to all.",
        )
        .heading("What it shows")
        .terms(
            14,
            [
                (
                    "event loop",
                    "Least memory for a connection, and the fewest context switches if much comes at once. It uses one \
                     processor, and whatever computes holds up all others, for as long as it takes.",
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
             ones, `kernel.threads-max`, `kernel.pid_max`, `vm.max_map_count`, `net.ipv4.ip_local_port_range`, and `pids.max` of cgroups. If \
             `--connections` asked for it, the status is 3. Servers end with `fdscope`, however that ends.",
        )
}
