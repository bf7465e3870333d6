//! What the kernel does with connections that nobody accepts, and how that is looked at.

use super::Section;

pub(super) fn queue() -> Section {
    Section::new("BACKLOG AND ACCEPT QUEUE")
        .text(
            "A TCP connection whose handshake is over, or a unix socket that has connected, waits in the \
             accept queue until the server takes it with `accept`(2). The client does not notice: it is \
             connected, and may send. If it leaves, its place stays taken until the server has accepted \
             it.",
        )
        .text(
            "`listen`(2) is given a backlog. The kernel clamps it to `net.core.somaxconn`, which is also \
             what -1 and the default come to, and admits one connection more: a backlog of 0 admits one. \
             The clamp is at that moment: if somaxconn is raised later, the server must call `listen`(2) \
             again. Where several handshakes end at once, a few connections more can slip in: 4 of 3 has \
             been seen.",
        )
        .heading("When the queue is full")
        .terms(
            8,
            [
                (
                    "TCP",
                    "The SYN is dropped. The client stays in SYN-SENT and repeats it: Linux 6.18 once a \
                     second for five seconds, then after 2, 4, 8 s and so on. So a full queue looks like a \
                     slow or dead network, and the first sign of it is often a connection that takes a \
                     second longer. `net.ipv4.tcp_syn_retries` decides when `connect`(2) gives up with \
                     `ETIMEDOUT`: by default after two minutes, so clients should have a time limit of \
                     their own.",
                ),
                ("unix", "`connect`(2) waits; if the socket does not block, it fails with `EAGAIN`."),
            ],
        )
        .heading("What counts it")
        .terms(
            8,
            [
                (
                    "`listener_drops`",
                    "Of this listener (`SO_MEMINFO`). Each SYN that is dropped counts, so a client counts \
                     each time it repeats it, and some drops count twice. With `--defer-accept`, the \
                     handshakes that are put off count too.",
                ),
                (
                    "`listen_overflows`",
                    "`ListenOverflows`: the same for all listeners of the network namespace, each drop \
                     once.",
                ),
                (
                    "`listen_drops`",
                    "`ListenDrops`: these, and what was dropped for other reasons, such as too many \
                     unfinished handshakes.",
                ),
            ],
        )
        .text(
            "All of them count attempts: none says how many clients were refused. Of unix sockets there is \
             no counter.",
        )
        .heading("Handshakes that end when the queue has just filled up")
        .text(
            "These got an answer to their SYN, so that the client believes that it is connected. The \
             kernel drops the ACK that ends the handshake, and the server's side stays in SYN-RECV. Only \
             with `net.ipv4.tcp_abort_on_overflow` is the client reset; about SYNs that are dropped, that \
             setting changes nothing.",
        )
        .text(
            "While more handshakes are unfinished than the backlog, the kernel answers with SYN cookies \
             (`net.ipv4.tcp_syncookies`), and remembers nothing. Then that last ACK is dropped without a \
             trace: the client is connected, the server has no such connection, and a client that waits \
             for the server to speak first waits in vain. The smaller the backlog, the sooner this \
             happens.",
        )
}

pub(super) fn gauge() -> Section {
    Section::new("THE GAUGE")
        .text(
            "The queue of one's own TCP listener is read with `TCP_INFO` on the socket, all others by \
             `sock_diag`(7). This is done every `--interval`; on one's own listeners, with COMMAND too, \
             also when a connection comes.",
        )
        .text(
            "So it is a sample. A burst that a server has worked off between two looks is not seen: of \
             three bursts of 20 connections, `--watch-only` saw nothing at 100 ms, and a peak of 15 at 1 \
             ms. `peak` is at least what it says, `full_time` is true to about the interval. Drops are the \
             kernel's own counters, and none is missed. An interval of 1 ms takes about 2% of a processor.",
        )
        .text(
            "`waited` is counted from the end of the handshake, in milliseconds, at the pace of the \
             kernel's clock (4 ms on many systems). The kernel does not tell it of unix and vsock sockets.",
        )
        .heading("--watch-only")
        .text(
            "Somebody else's listener is looked at by its inode, and not held: if its owner closes it, it \
             is gone, and once all are, `fdscope` ends with status 3. A *PORT* is of TCP, in the network namespace of \
             `fdscope`, and takes no privilege; whose it is can only be told of processes that may be \
             read. *PID*`:`*FD* also finds unix sockets, and takes the right to read that process; if it \
             is in another network namespace, `CAP_SYS_ADMIN` too. Of listeners that share a port \
             (`SO_REUSEPORT`) each has a queue of its own. Those that open it later, such as a server that \
             was started again, are not looked at.",
        )
}
