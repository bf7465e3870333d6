//! Section 4: selectors, what they cost, and what they cannot do.

use super::Section;

pub(super) fn section() -> Section {
    let section = Section::new("BEING TOLD INSTEAD OF ASKING").text(
        "One thread, a thousand connections, and something comes on one of them now and then. To ask them all in a loop with \
         non-blocking reads is a thousand system calls to find nothing, and then? Again at once: a CPU is gone. Or \
         after a pause: then everybody waits for the pause. What is wanted is one call that sleeps until something can be done on \
         any of them, and says on which. Such a call is a selector. It says that an fd is ready: that a read, say, would \
         not block now. The reading is still to be done.",
    );
    faces(others(triggers(costs(three(section)))))
}

fn three(section: Section) -> Section {
    section
        .heading("select, poll and epoll")
        .terms(
            8,
            [
                (
                    "select",
                    "Three sets of bits, a bit an fd: to be read, to be written, exceptions. They are copied into the kernel at \
                     each call, which goes through all numbers up to the highest and overwrites the sets with \
                     the answer, so that they have to be made again for the next. `FD_SETSIZE` ends it at 1023. It is \
                     everywhere; on Windows it takes sockets alone.",
                ),
                (
                    "poll",
                    "An array of fds with what is asked of each and room for the answer. Any number goes, and the \
                     answer says more: a hang-up is told from data. But the array is copied and gone through at each call, ready \
                     or not.",
                ),
                (
                    "epoll",
                    "The set lives in the kernel, behind an fd of its own. `epoll_ctl`(2) puts an fd in, once; the kernel hooks \
                     itself into the wait queue of the file, and what becomes ready puts itself on a list. `epoll_wait`(2) \
                     hands out that list: what is not ready costs nothing. Linux only. It refuses regular files (`EPERM`), \
                     which count as always ready.",
                ),
            ],
        )
        .session(
            "$ fdscope watch 0 --with epoll < /etc/passwd > out\n\
             fdscope: 0: epoll cannot watch files that are always ready, such\n\
             as regular files and directories: select and poll can\n",
        )
        .text("What they see of a pipe whose writer leaves after a second: for select, it is something to read:")
        .session(
            "$ (sleep 1) | fdscope watch 0 --with select,poll,epoll -u hup | \\\n    \
             grep differ\n\
             «01:08:33.256»  hup      0           select: in | poll: hup |\n    \
             epoll: hup (they differ)  pipe read end of «48649925»\n",
        )
        .text(
            "An fd of 1024 or more given to select is the classic way to overwrite one's own memory: `FD_SET` in C sets a bit \
             behind the end of the set, unless the C library was told to check. Python refuses. In `high.py`:",
        )
        .file(
            "high.py",
            "import os, select\n\
             os.dup2(0, 1500)\n\
             select.select([1500], [], [], 0)\n",
        )
        .session(
            "$ (ulimit -S -n 2000; python3 high.py 2>&1 | tail -n 1)\n\
             ValueError: filedescriptor out of range in select()\n",
        )
}

fn costs(section: Section) -> Section {
    section
        .heading("What they cost")
        .text(
            "What select and poll cost grows with what is watched, what epoll costs with what is ready. The nanoseconds for an \
             event, with the write that makes it and the read that takes it, if one of 10 to 10,000 fds is active at a \
             time; for the wait in it; and for registering an fd:",
        )
        .session(
            "$ fdscope bench -s select,poll,epoll-level --active 1 --for 4s -q \\\n    \
             --format tsv | cut -f 1,4,6,8,9\n\
             selector fds    ns_per_event ns_per_wait ns_per_register\n\
             select   10     «1126»         «833.6»       «135.1»\n\
             poll     10     «1025.9»       «722.2»       «158.3»\n\
             epoll    10     «572.8»        «224»         «397.2»\n\
             select   100    «6107.3»       «5750.9»      «146.8»\n\
             poll     100    «6150.4»       «5775.9»      «184»\n\
             epoll    100    «581.6»        «226.3»       «497.8»\n\
             select   1000   «65064.1»      «64133.9»     «160.6»\n\
             poll     1000   «66756»        «65066.8»     «241.1»\n\
             epoll    1000   «614.8»        «234.1»       «511.6»\n\
             select   10000  «915912.3»     «875760.3»    «228.1»\n\
             poll     10000  «880991.3»     «884499.1»    «209»\n\
             epoll    10000  «891.6»        «271.1»       «526.8»\n",
        )
        .text(
            "So with ten fds there is half a microsecond between them. With ten thousand of which one is active, select and \
             poll take a thousand times as long as epoll: 60 to 90 ns for each fd that they look at, nearly a millisecond for \
             one event. But if a hundred of a hundred are active at each wait, the same machine takes 0.3 µs for an event with \
             poll and 0.4 with epoll: nothing is looked at in vain. It is idle connections that make select and poll \
             expensive. epoll pays when an fd is put in, taken out or changed, with a system call for each; select and poll \
             have no need of that (what they show here is `fdscope`'s own bookkeeping). For a handful of fds that are waited \
             for once, poll is the right call. `fdscope bench` alone measures all selectors and draws it.",
        )
}

fn triggers(section: Section) -> Section {
    section
        .heading("Level, edge, oneshot")
        .text(
            "Level-triggered: what is ready is told at every call, as long as it is. That is how select and poll work, and \
             epoll unless told otherwise. It forgives: who reads half is told again. Nobody reads here, so it is told \
             for ever, and a loop that did that would spin:",
        )
        .session(
            "$ mkfifo fifo\n\
             $ exec 4<>fifo\n\
             $ echo one >&4\n\
             $ fdscope watch 0 --repeat --interval 300ms --count 3 < fifo\n\
             «01:20:10.936»  armed                watching 1 fd\n\
             «01:20:10.937»  ready    0           in  4 to read  fifo ...\n\
             «01:20:11.238»  ready    0           in  4 to read  fifo ...\n\
             «01:20:11.538»  ready    0           in  4 to read  fifo ...\n\
             ...\n",
        )
        .text(
            "Edge-triggered (`EPOLLET`): it is told when it is put in, and then only when something new comes. Fewer wake-ups, but \
             each time one has to read until `EAGAIN`: what is left is not told of again, and waits until the peer sends \
             more, which it may never do. The second line is two seconds behind the first; in between, although there are \
             4 bytes to read, nothing is told:",
        )
        .session(
            "$ (sleep 2; echo two >&4) &\n\
             $ fdscope watch 0 --trigger edge --count 2 < fifo\n\
             «01:20:12.003»  armed                watching 1 fd\n\
             «01:20:12.003»  ready    0           in  4 to read  fifo ...\n\
             «01:20:14.005»  ready    0           in  8 to read  fifo ...\n\
             ...\n\
             $ exec 4<&-\n",
        )
        .text(
            "Oneshot (`EPOLLONESHOT`): told once, then silent until it is armed again. It is for several threads that wait on one \
             epoll fd, so that no two of them get the same connection. Who forgets to arm it is deaf on that fd. When in doubt, take \
             level.",
        )
        .text(
            "Two more traps of epoll. It watches the description, not the number: if a number is closed while a \
             duplicate lives on, in a child, say, events go on, for an fd that is gone, and cannot be turned off. \
             `fdscope list --where 'epoll.stale > 0'` finds these. And where many processes watch one \
             listener, each with an epoll fd of its own, one client wakes them all up, unless they use `EPOLLEXCLUSIVE` or \
             `SO_REUSEPORT`.",
        )
}

fn others(section: Section) -> Section {
    section
        .heading("Elsewhere: kqueue, IOCP, io_uring")
        .text(
            "kqueue (FreeBSD, macOS and other BSDs) is what epoll is, and wider: one call, `kevent`, changes the set and waits; \
             besides sockets and pipes it watches processes, signals, timers and changes of files; and it says how many bytes \
             there are, or connections. `EV_CLEAR` is its edge, `EV_DISPATCH` its oneshot. A close takes an fd out.",
        )
        .text(
            "Windows' I/O completion ports, IOCP, turn it round. All so far was readiness: tell me when I can read, and I read. \
             There it is completion: read into this buffer, and tell me when that is done. The buffer belongs to the \
             kernel until then, one for each waiting connection, and cancelling is a matter of its own. For that, it works for \
             files too, and nothing is asked twice. Linux has that as `io_uring`(7): requests and completions go through \
             two rings of shared memory, many to a system call. It can also tell readiness (its poll, multishot). From outside \
             one sees less of it: which fds its requests are of, the kernel does not tell.",
        )
}

fn faces(section: Section) -> Section {
    section
        .heading("One face for all")
        .text(
            "Python's module `selectors` has a class for each: `SelectSelector`, `PollSelector`, `EpollSelector`, \
             `DevpollSelector` (Solaris), `KqueueSelector`, with the same methods: `register`, `unregister`, `modify`, \
             `select`. They know reading and writing, level-triggered, and no more. `DefaultSelector` is the best that \
             the system has: kqueue, epoll or devpoll, else poll, else select.",
        )
        .session(
            "$ python3 -c 'from selectors import *; print(DefaultSelector)'\n\
             <class 'selectors.EpollSelector'>\n",
        )
        .text(
            "mio does that for Rust, edge-triggered everywhere: epoll, kqueue, and on Windows a readiness that is \
             made out of IOCP. `fdscope watch --with mio` shows what it sees; and SELECTORS in `fdscope-watch`(1) \
             has a table of what each can do.",
        )
}
