//! Section 3: the queues of a listener.

use super::Section;

pub(super) fn section() -> Section {
    let section = Section::new("LISTEN AND ACCEPT").text(
        "A listener is a socket that carries no bytes, but connections. `bind`(2) gives it an address, `listen`(2) makes \
         it take clients, `accept`(2) takes one out and gives a new fd for it. In between the kernel works alone. When a \
         client's SYN comes, it answers, and notes an unfinished connection (SYN-RECV): that is the SYN queue. \
         When the client's ACK comes, the connection is there, ESTABLISHED at both ends, and goes into the \
         accept queue until the server calls `accept`. The client notices nothing of that: its `connect` has returned, it \
         may send, and the kernel takes its bytes, although no program has seen it yet.",
    );
    choosing(full(section))
}

fn full(section: Section) -> Section {
    section
        .heading("The backlog")
        .text(
            "The second argument of `listen` is how long the accept queue may be. Linux admits one more: backlog + 1 \
             connections; a backlog of 0 holds one. It clamps the number to `net.core.somaxconn` (4096 since Linux \
             5.4, 128 before) at the moment of the call, so that raising the setting later does nothing until the \
             server calls `listen` again. -1 means as much as is allowed.",
        )
        .text("Five clients come to a server that does not accept, with a backlog of 2:")
        .session(
            "$ fdscope listen 127.0.0.1:8080 --backlog 2 --accept none > log &\n\
             $ cat log\n\
             «01:08:31.005»  listening  127.0.0.1:8080  fd 3,\n               \
             backlog 2 admits 3 connections\n\
             $ a=tcp:127.0.0.1:8080\n\
             $ fdscope watch $a $a $a $a $a > clients.log &\n\
             $ fdscope sockets --port 8080 --quiet \\\n    \
             --columns state,recv_queue,remote,unowned\n\
             STATE        RECV_QUEUE  REMOTE           UNOWNED\n\
             listen              3/2  -                -\n\
             established           0  127.0.0.1:«38956»  not-accepted\n\
             established           0  127.0.0.1:«38960»  not-accepted\n\
             established           0  127.0.0.1:«38974»  not-accepted\n\
             $ fdscope sockets :8080 --state syn-sent --quiet \\\n    \
             --columns state,local,remote\n\
             STATE     LOCAL            REMOTE\n\
             syn-sent  127.0.0.1:«38984»  127.0.0.1:8080\n\
             syn-sent  127.0.0.1:«38994»  127.0.0.1:8080\n\
             $ cat log\n\
             «01:08:31.005»  listening  ...\n\
             «01:08:31.209»  queue      3 of 3 waiting: full\n\
             «01:08:31.209»  overflow   «2» dropped by this listener; ...\n",
        )
        .text(
            "Three are in, and believe that they are served. The other two are not refused: their SYN was dropped, as if the \
             network had lost it, and they repeat it: after a second, a few times at that pace, then less and less often, for about \
             two minutes. So what the server sees is nothing at all, and what its clients see is a `connect` that takes a second \
             longer, or several, and in the end `ETIMEDOUT`. Clients need a time limit of their own. \
             ECONNREFUSED means something else: nobody listens there.",
        )
        .text(
            "Of unix sockets a blocking `connect` waits while the queue is full, and one that does not block fails with \
             `EAGAIN`.",
        )
        .heading("SYN cookies")
        .text(
            "The SYN queue can be full too, in an attack or a rush. Then Linux remembers nothing of a SYN (with \
             `net.ipv4.tcp_syncookies` at 1, as usual), and hides what it needs in the number of its answer, the cookie; who \
             comes back with it is connected. That protects the SYN queue and not the accept queue. If that is full when the last \
             ACK comes, the ACK is dropped, and forgotten with it the connection: the client believes that it has one. A \
             client that waits for the server to speak first then waits for long.",
        )
}

fn choosing(section: Section) -> Section {
    section
        .heading("How to choose it")
        .text(
            "The queue has to hold what comes while nobody accepts: connections a second, times the longest pause in \
             seconds. 500 a second and a collection of garbage of 200 ms are 100. More does no harm to a server that \
             keeps up, as the queue is empty then. To one that does not keep up it does: 4096 in the queue at 100 accepted a \
             second is a wait of 41 s, after which the clients are gone, and the server works for nobody. Then a shorter queue, \
             which has clients fail early, is better, and a faster server best. Raise somaxconn along \
             with the backlog, or it clamps it. Measure it on the running server:",
        )
        .session(
            "$ fdscope listen --watch-only 8080 --timeout 1s\n\
             «01:26:31.005»  listening  127.0.0.1:8080  held by fdscope\n               \
             («1932», fd 3), backlog 2 admits 3 connections\n\
             «01:26:31.005»  queue      3 of 3 waiting: full\n\
             ...\n\
             «01:26:32.005»  summary    127.0.0.1:8080  peak 3 of 3, full for «1 s»...\n\
             $ fdscope limits --system --quiet --format tsv | cut -f 1,2 | \\\n    \
             grep -E 'somaxconn|syn'\n\
             net.core.somaxconn           «4096»\n\
             net.ipv4.tcp_max_syn_backlog «2048»\n\
             net.ipv4.tcp_syncookies      «1»\n",
        )
        .text("See BACKLOG AND ACCEPT QUEUE in `fdscope-listen`(1) for what the kernel counts, and what it does not.")
}
