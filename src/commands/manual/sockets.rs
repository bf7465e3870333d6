//! The page of `fdscope sockets`.

use super::{Manual, Section, registry, shared};
use crate::commands::sockets;

pub(super) fn manual() -> Manual {
    Manual {
        command: "sockets",
        sections: vec![
            selecting(),
            table(),
            owners(),
            other_ends(),
            namespaces(),
            states(),
            records(),
            fields(),
            closing(),
            examples(),
            exit_status(),
            shared::environment(),
            notes(),
            shared::see_also(
                "`fdscope`(1), `fdscope-list`(1), `fdscope-listen`(1), `fdscope-watch`(1), `ss`(8), `lsof`(8), \
                 `fuser`(1), `ip-netns`(8), `sock_diag`(7), `tcp`(7), `unix`(7), `network_namespaces`(7), \
                 `proc_pid_net`(5)",
            ),
        ],
    }
}

fn selecting() -> Section {
    Section::new("SELECTING")
        .text(
            "A *FILTER* is one end of a socket; a socket is shown if either of its ends is meant by any of them. \
             `--remote` is about the other end alone. All other options narrow it further: what is shown has to \
             match each of them.",
        )
        .terms(
            4,
            [
                ("`10.0.0.5`, `::1`, `10.0.0.5:5432`, `[::1]:80`", "An address, with or without a port."),
                ("`:443`, `:8000-8099`", "A port, or several, whatever the address."),
                (
                    "`[fe80::1%eth0]:80`, `0.0.0.0%eth0`, `%eth0`",
                    "Only sockets that are bound to this interface (`SO_BINDTODEVICE`), as those of link-local addresses \
                     are.",
                ),
                (
                    "`10.0.0.0/8`, `fe80::/10`, `[fe80::/10]:80`",
                    "All addresses that begin with so many bits. IPv4 addresses in sockets of IPv6 \
                     (`::ffff:10.0.0.5`) count as IPv4.",
                ),
                (
                    "`/run/x.sock`, `unix:x.sock`, `@name`, `/run/*`",
                    "What a unix socket, or its other end, is bound to: exactly as `bind`(2) was given it, or as it is shown (`\\x00`, `\\n`, `\\xff`); with a \
                     `*` behind all that begins so. `@` stands for the NUL of an abstract name.",
                ),
                ("`vsock:2:1024`, `vsock:2`, `vsock:*:1024`", "An address of `vsock`(7)."),
            ],
        )
        .text(
            "`--port` compares the socket's own port, so it finds the serving end and no clients, as it does in \
             `fdscope-list`(1); raw and ping sockets have none, though a number stands in its place in LOCAL. `--process` takes what `fdscope-list`(1) takes for a *TARGET*. `--where` takes an \
             expression over all fields: see EXPRESSIONS in `fdscope-list`(1).",
        )
        .text(
            "Sockets of netlink that the kernel opened for itself, of which every namespace has the same dozen, \
             are shown only if `--family netlink` asks for that family.",
        )
}

fn table() -> Section {
    Section::new("THE TABLE")
        .terms(
            4,
            [
                (
                    "NETNS",
                    "The network namespace, where there are sockets in several: its name, `own` for the one that \
                     `fdscope` is in, its inode, or `-` where that may not be read.",
                ),
                (
                    "RECV_QUEUE",
                    "Bytes that came and were not read yet; the end of the data counts as one. Of mptcp, as of datagrams, the memory that they take, which is more. Of a listener, *N*`/`*BACKLOG*: how many connections wait \
                     to be accepted, and the backlog. One connection more than the backlog is admitted. The row \
                     is yellow if any wait, and red if no more are admitted.",
                ),
                (
                    "SEND_QUEUE",
                    "Bytes that were not sent, or not acknowledged, yet; a SYN or FIN counts as one. Of datagrams, of mptcp and of unix sockets, the memory that \
                     they take until the other end has read them, which is more than their bytes.",
                ),
                (
                    "LOCAL, REMOTE",
                    "The two addresses; of a socket that is bound to an interface, with `%` and its name (\
                     `0.0.0.0%eth0:80`), which JSON and TSV have in `interface`. A unix socket that is not bound has none.",
                ),
                ("OWNERS", "Who holds it: *PID*`/`*COMMAND* *FD*; or why nobody does; `?` where that may not be seen."),
                (
                    "PEERS",
                    "Who holds the other end, if that is on this machine: `closed` once nobody does, \
                     `waiting at` the listener in whose queue the connection is, `not answered by` a listener that a SYN \
                     was sent to over loopback and that dropped it, as it does with a full queue, `?` where that may not be \
                     seen, or came or went while sockets were listed, and `-` where it is on another machine or there \
                     is none.",
                ),
            ],
        )
        .text(
            "`--listening` leaves out what listeners do not have. `--summary` counts by family and state; \
             WITHOUT_FILE is how many belong to no file, and so to nobody.",
        )
}

fn owners() -> Section {
    Section::new("OWNERS")
        .text(
            "A socket is held by fds, often by several: of a server and its workers, or a process and its \
             children. They are found by looking at all fds of all processes that may be read, after the kernel \
             has listed the sockets; a socket that nobody seems to hold is asked for once more, so that one that was \
             closed meanwhile is not shown, and looked for once more, because it may have gone from one process to \
             another. `unowned` says why nobody holds one:",
        )
        .terms(
            14,
            [
                ("`not-accepted`", "The connection waits in the accept queue of a listener (`pending`)."),
                ("`syn-recv`", "The handshake is not over: the other end has not answered yet."),
                (
                    "`closed`",
                    "Its owner has closed it, and the kernel still sends what is left, or waits for the other end \
                     to close: fin-wait-1, fin-wait-2, closing, last-ack.",
                ),
                ("`time-wait`", "Both ends are closed. For a minute late packets are told from those of a new connection."),
                ("`kernel`", "The kernel opened it for itself."),
                (
                    "`no-fd`",
                    "It belongs to a file that no process has as an fd: the kernel's own (NFS, say), one on its way \
                     through `SCM_RIGHTS`, in an io_uring, or an fd of a thread that does not share its process's \
                     fds.",
                ),
            ],
        )
        .text(
            "Where some processes may not be read, the others' fds are shown, and `owners` is null if there are none. So \
             it is if processes may be hidden: in a pid namespace (a container), or behind the option `hidepid` of \
             /proc. `uid` is absent of a socket that belongs to no file: the kernel has 0 there, whoever made it.",
        )
}

fn other_ends() -> Section {
    Section::new("OTHER ENDS")
        .terms(
            4,
            [
                (
                    "unix sockets",
                    "The kernel tells the inode of the other end (`peer_inode`), and whose that is follows. A socket for \
                     datagrams has all those for peers that are connected with it.",
                ),
                (
                    "TCP, UDP",
                    "The socket with the two addresses exchanged, IPv4 in IPv6 being IPv4, first in the same namespace. In \
                     other namespaces, also those that `--netns` does not show, only if it is not a loopback address and \
                     exactly one fits: this follows a connection into a container, and is by address alone, so that \
                     networks which use the same addresses twice can mislead it. Of datagrams whose other end is \
                     not connected back, the sockets that are bound to the address that they are sent to.",
                ),
                (
                    "not accepted",
                    "The client's peers are those who hold the listener, or any of several that share its port, and `pending` is \
                     true; also if the handshake is \
                     not over for the server, though it is for the client (syn-recv).",
                ),
                (
                    "not answered",
                    "Over loopback, the peers of a client in syn-sent are those who hold the listener that it asks, \
                     which has not answered. It is in no queue, and not `pending`.",
                ),
            ],
        )
        .text(
            "`peers` is absent if there is no other end, or none on this machine; empty if the other end \
             was on this machine and has been closed; null if whoever holds it may not be seen, or if it came or went \
             while sockets were listed. Of time-wait it is absent. TSV has nothing for all three.",
        )
}

fn namespaces() -> Section {
    Section::new("NETWORK NAMESPACES")
        .text(
            "A container mostly has a network namespace of its own, in which the sockets of others are not seen. `fdscope` \
             finds the namespaces through the processes in them and the names in `/run/netns` (`ip-netns`(8)), and \
             enters each once, by a thread that is made for it and ends at once; the sockets are then asked for from \
             outside. That takes `CAP_SYS_ADMIN`. Without it, others are read from `/proc/`*PID*`/net`, which everybody \
             may, and which tells less: no backlogs, no round-trip times, no other ends of unix sockets. Field `source` \
             says which it was, of each socket; families for which the kernel was built without `sock_diag`(7) are \
             read that way, too. In those tables a name of a unix socket that has a newline in it and all that the kernel \
             writes behind that cannot be told from another row: whoever may bind a name can feign a socket there, with any name \
             and inode. A namespace that neither a process nor a name is in (an fd or a mount \
             elsewhere keeps it, or a thread that left its process's) is not found.",
        )
        .text(
            "`--netns` takes the name that `ip-netns`(8) gave, the name of a container, as far as its cgroup tells one \
             (`docker:4f3ac0de4f3a`, `podman:`, `containerd:`, `crio:`, `kubernetes:`, `lxc:web`, `machine:web`), \
             the inode, as in `/proc/`*PID*`/ns/net`, a pid, or `own`.",
        )
}

fn states() -> Section {
    Section::new("STATES")
        .terms(
            14,
            [
                ("`listen`", "Takes connections."),
                ("`syn-sent`", "The client has asked for a connection, and nothing has come back. Many of them: the other end drops, for want of a place in its queue or by a firewall."),
                ("`syn-recv`", "The server has answered, and the client's acknowledgement has not come."),
                ("`established`", "Connected; of UDP, with a fixed other end."),
                ("`fin-wait-1`", "This end has closed, which the other end has not acknowledged."),
                ("`fin-wait-2`", "This end has closed; the other end has acknowledged that, and does not close. If many stay: the program at the other end forgets to. Without an owner it is given up after a minute (net.ipv4.tcp_fin_timeout)."),
                (
                    "`close-wait`",
                    "The other end has closed, and this end has not: its owner has not read the end of the data, which \
                     counts as one in `recv_queue`, or has and does not close. If many stay, the owner leaks them.",
                ),
                ("`last-ack`", "The other end has closed and then this one, which is not acknowledged yet."),
                ("`closing`", "Both have closed at once, which is not acknowledged yet."),
                ("`time-wait`", "Closed; this end was the first to."),
                ("`close`", "Bound, and neither connected nor listening (told by Linux 6.8 and later)."),
                ("`unconnected`", "Of datagrams, raw and unix sockets: takes from, or can connect to, anybody."),
                ("`connected`", "Of unix sockets."),
            ],
        )
}

fn records() -> Section {
    Section::new("RECORDS")
        .text(
            "A JSON record has the fields from `family` to `uid` as far as they are known, and of `tcp.*` round trips, \
             window, retransmits, bytes and ages; with `--wide` all fields. A TSV line has the fields from `family` \
             to `uid`, with `--wide` all. One record in JSON, shortened:",
        )
        .code(
            "{\"family\":\"tcp\",\"type\":\"stream\",\"state\":\"listen\",\"recv_queue\":2,\n \
             \"listener\":{\"waiting\":2,\"max\":511,\"drops\":0},\n \
             \"local\":\"127.0.0.1:80\",\"local_port\":80,\n \
             \"owners\":[{\"pid\":4242,\"command\":\"nginx\",\"fd\":6}],\n \
             \"netns\":4026531833,\"inode\":94731,\"uid\":0}",
        )
}

fn fields() -> Section {
    let (summary, close) = sockets::other_fields();
    let section = Section::new("FIELDS").heading("Of every record");
    let section = registry::fields(section, sockets::all_fields()).text(
        "`tcp.*` is what `TCP_INFO` of `tcp`(7) tells, and `memory.*` what `SO_MEMINFO` does. Fields of a kernel that \
         is too old to tell them are absent.",
    );
    let section = registry::fields(section.heading("Of --summary"), summary);
    registry::fields(section.heading("Of --close"), close)
}

fn closing() -> Section {
    Section::new("CLOSING SOCKETS")
        .text(
            "`--close` has the kernel end the sockets that are selected (`SOCK_DESTROY` of `sock_diag`(7)). A TCP \
             connection is reset: the other end gets a RST, and its owner `ECONNABORTED` from the next call. A \
             listener stops to listen, and what waited in its queue is reset. A UDP socket is \
             disconnected and its owner told `ECONNABORTED`. If the owner had bound it, it stays bound and goes on receiving: \
             it is told as not closed. The fds stay open until their \
             owners close them. Sockets of other families cannot be closed so, nor TCP sockets that are bound \
             and no more; of multipath TCP single subflows can.",
        )
        .text(
            "What is to be closed is shown first, with its network namespace where that is not `fdscope`'s own, and a question asked at the terminal; `--yes` does without. Something \
             must be selected: all sockets at once are refused. It takes `CAP_NET_ADMIN` in the network \
             namespace of the socket. The kernel finds each by its addresses and its cookie, so that a connection \
             that has come in its place is not hit. Of several UDP sockets that share a port (`SO_REUSEPORT`) it finds but \
             one. Of each socket a row says whether it is closed now: also if it was gone by then, as the other end of \
             a connection is that was closed before it.",
        )
}

fn examples() -> Section {
    Section::new("EXAMPLES")
        .example("Who listens where, and are queues full?", "fdscope sockets --listening")
        .example("Listeners that somebody waits at:", "fdscope sockets -l --where 'listener.waiting > 0'")
        .example("Both ends of all connections with a database:", "fdscope sockets :5432")
        .example(
            "Who is at the other end of the sockets of one program, and what is stuck between them:",
            "fdscope sockets --process nginx",
        )
        .example("Who forgets to close its connections:", "fdscope sockets --state close-wait")
        .example(
            "Connections that send things again, the worst last:",
            "fdscope sockets --no-header --where 'tcp.retransmits > 0' \\\n    \
             --columns tcp.retransmits,tcp.rtt,local,remote,owners |\n    sort -n",
        )
        .example(
            "Clients that do not read: data waits for them, and was last acknowledged long ago:",
            "fdscope sockets --where 'send_queue > 0 && tcp.rwnd_limited > 1.0'",
        )
        .example(
            "How many of what, in one container:",
            "fdscope sockets --summary --netns docker:4f3ac0de4f3a",
        )
        .example(
            "End the connections of one client, without a question:",
            "fdscope sockets --family tcp --remote 10.0.0.5 --close --yes",
        )
        .example(
            "Local and remote addresses for a script:",
            "fdscope sockets -f tcp -c local,remote --format tsv --no-header",
        )
}

fn exit_status() -> Section {
    shared::exit_status().text(
        "With `--close`, status 1 says that nothing was selected or the answer was no, and 3 that a socket could not \
         be closed. A process or network namespace that was named and is not there, or may not be read, is 3.",
    )
}

fn notes() -> Section {
    Section::new("NOTES")
        .heading("What is asked, and how often")
        .text(
            "The kernel lists each family of each namespace once, and passes over what is not asked for where it can: \
             states, and a single `--port`; but the other ends of sockets are found only among all sockets, so that \
             PEERS (`peers`, `pending`, or `remote` of unix sockets) costs a full list of all namespaces. `--columns` \
             without them, and `--listening`, are faster on machines with very many connections. Where some socket seems to be nobody's, all processes are \
             looked at twice. A list that the kernel reports as changed while it was made is made again. Kernels that have the families as modules may \
             load those (`tcp_diag` and the like) when they are asked.",
        )
        .heading("Multipath TCP")
        .text(
            "A socket of family `mptcp` is listed beside its subflows, which are TCP sockets and have the fields `tcp.*`; \
             the first of them has the same inode and the same owners. What a program has not read waits in the whole, of which the \
             kernel tells memory and no bytes: some hundred for each piece, however few bytes are in it.",
        )
        .heading("What is not listed")
        .text(
            "The kernel lists no sockets of TCP, UDP or netlink that are not bound yet, none of vsock if it was built \
             without `VSOCKETS_DIAG`, and none of the families that are not named here (AF_XDP, AF_ALG, Bluetooth and \
             others). `fdscope-list`(1) shows those that are fds of a process.",
        )
        .heading("Compared with ss(8)")
        .text(
            "`--listening` is `ss -ltnp` and more; the table without options is `ss -anp` with the other ends in it; \
             `tcp.*`, `timer.*` and `memory.*` are `ss -i`, `-o` and `-m`. Numbers are never turned into names of hosts \
             or services.",
        )
        .heading("Permissions")
        .text(
            "Everybody may list the sockets of their own network namespace. Whose sockets of other users they are \
             takes the right to read their fds (`CAP_SYS_PTRACE`): without it OWNERS is `?` and `owners` null.",
        )
}
