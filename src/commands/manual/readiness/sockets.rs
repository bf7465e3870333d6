//! Section 1: what a call on a socket does when there is nothing to be had.

use super::Section;

pub(super) fn section() -> Section {
    let section = Section::new("SOCKETS").text(
        "A socket is one end of a conversation. Between the two ends lie two queues of bytes, one for each direction, and \
         the kernel keeps them: a send buffer at one end, a receive buffer at the other. `send`(2) copies bytes into \
         the send buffer, and is done when they are in it. It does not wait for the other side to read them, or even \
         to be told of them. `recv`(2) copies out what is in the receive buffer. It need not be as much as was asked for, \
         nor as much as was sent at once: a stream has no borders between messages. When the other side has closed \
         and everything is read, it gives 0, the end.",
    );
    nonblocking(blocking(section))
}

fn blocking(section: Section) -> Section {
    section
        .heading("A call that blocks")
        .text(
            "And if nothing is there? Then, normally, `recv` waits: the kernel puts the thread to sleep, and it uses no CPU \
             until a byte comes. A server that accepts and never sends makes that last. The server first; \
             when it says that it listens, `cat` as its client:",
        )
        .session(
            "$ fdscope listen 127.0.0.1:8080 --serve hold > server.log &\n\
             $ cat server.log\n\
             «01:08:31.005»  listening  127.0.0.1:8080  fd 3, backlog «4096» ...\n\
             $ cat < /dev/tcp/127.0.0.1/8080 > out &\n\
             $ fdscope threads $! --columns name,state,waits_for\n\
             NAME  STATE     WAITS_FOR\n\
             cat   sleeping  read on 0 (tcp 127.0.0.1:«35674» → 127.0.0.1:8080)\n",
        )
        .text(
            "`send` waits too, if there is no room. This server never reads, so that its receive buffer fills up, then the \
             send buffer of the client, and then `yes`, which would write for ever, stands still. That is \
             back pressure: whoever does not read slows down whoever writes.",
        )
        .session(
            "$ yes > /dev/tcp/127.0.0.1/8080 &\n\
             $ fdscope threads $! --columns name,state,waits_for\n\
             NAME  STATE     WAITS_FOR\n\
             yes   sleeping  write on 1 (tcp 127.0.0.1:«35676» →\n                 \
             127.0.0.1:8080, «3.6M» unsent)\n\
             $ fdscope sockets :8080 --quiet \\\n    \
             --where 'recv_queue > 0 || send_queue > 0' \\\n    \
             --columns recv_queue,send_queue,local,remote\n\
             RECV_QUEUE  SEND_QUEUE  LOCAL            REMOTE\n    \
             «121344»           0  127.0.0.1:8080   127.0.0.1:«35676»\n         \
             0     «3817984»  127.0.0.1:«35676»  127.0.0.1:8080\n",
        )
}

fn nonblocking(section: Section) -> Section {
    section
        .heading("A call that does not")
        .text(
            "A thread that sleeps in `recv` on one socket cannot serve another. So there is the other way: if the flag \
             `O_NONBLOCK` is set, no call waits. It does what can be done at once, and if that is nothing, fails \
             with `EAGAIN`, which is no error but an answer: not now. `connect`(2) likewise begins, fails with \
             `EINPROGRESS`, and goes on behind the back of the program. In Python, `nonblock.py`:",
        )
        .file("nonblock.py", "import socket\na, b = socket.socketpair()\na.setblocking(False)\na.recv(1)\n")
        .session(
            "$ python3 nonblock.py 2>&1 | tail -n 1\n\
             BlockingIOError: [Errno «11»] Resource temporarily unavailable\n",
        )
        .text(
            "What to do then? Asking again and again uses up a CPU to find out nothing. One wants to be told: see section \
             4. For regular files the flag does nothing: a disk is slow, but what is read from it is never \
             \"not there yet\".",
        )
        .heading("Whose flag it is")
        .text(
            "`O_NONBLOCK` is not a property of a process or a number, but of the open socket itself, the description \
             (section 2), and all who hold it share it. Here a shell opens a connection, `sleep` inherits it, and a third \
             program sets the flag on what it inherited. `sleep` has a socket that does not block now, and has done \
             nothing:",
        )
        .session(
            "$ exec 3<>/dev/tcp/127.0.0.1/8080\n\
             $ sleep 600 &\n\
             $ fdscope list $!:3 --columns command,fd,mode,kind\n\
             COMMAND  FD  MODE      KIND\n\
             sleep     3  rw block  tcp\n\
             $ python3 -c 'import os; os.set_blocking(3, False)'\n\
             $ fdscope list $!:3 --columns command,fd,mode,kind\n\
             COMMAND  FD  MODE         KIND\n\
             sleep     3  rw nonblock  tcp\n",
        )
        .text(
            "This is how one program spoils the terminal of another, and why one should not set the flag on an inherited \
             0, 1 or 2. To be non-blocking once only, there is `MSG_DONTWAIT` of `recv`(2) and `send`(2).",
        )
}
