//! Section 5: event loops, and what stalls them.

use super::Section;

pub(super) fn section() -> Section {
    let section = Section::new("EVENT LOOPS").text(
        "An event loop is a selector with a list of what to do: wait; for each fd that is ready, call whoever is \
         responsible for it; see which timers are over; again. One thread serves thousands of connections like that, as long as each \
         call is short. Written with callbacks, a conversation of several steps falls into as many functions. \
         Coroutines put it together again.",
    );
    elsewhere(gil(stalls(asyncio(section))))
}

fn asyncio(section: Section) -> Section {
    section
        .heading("Coroutine, future, task")
        .terms(
            11,
            [
                (
                    "Coroutine",
                    "A function that can stop in the middle and go on later, with all its variables. `async def` makes one. \
                     To call it makes an object, and runs nothing.",
                ),
                (
                    "Future",
                    "A box for a result that is not there yet, with a list of whom to tell when it is.",
                ),
                (
                    "Task",
                    "A coroutine that the loop runs, and a future for its result. `create_task` puts its first step onto the \
                     loop's list; until then, it is only an object.",
                ),
                (
                    "`await`",
                    "If the result is there, go on. If not, stop here, and hand the future down through all that await each other to \
                     the task. The task asks the future to be told, and returns to the loop. That is all that waiting is: \
                     nothing sleeps but the loop, in its selector.",
                ),
            ],
        )
        .text(
            "One can do by hand what a task does. `send(None)` runs a coroutine to its next `await` that has to \
             wait, and gives what that waits for. In `hand.py`:",
        )
        .file(
            "hand.py",
            "class Box:                       # a future, more or less\n    \
             def __await__(self):\n        \
             return (yield self)      # stops here for now\n\
             \n\
             async def work(box):\n    \
             print(\"works, then waits\")\n    \
             got = await box\n    \
             print(\"goes on with\", got)\n\
             \n\
             job = work(Box())                # nothing runs yet\n\
             print(\"made\")\n\
             print(\"waits for a\", type(job.send(None)).__name__)\n\
             try:\n    \
             job.send(\"hello\")\n\
             except StopIteration:\n    \
             print(\"done\")\n",
        )
        .session(
            "$ python3 hand.py\n\
             made\nworks, then waits\nwaits for a Box\ngoes on with hello\ndone\n",
        )
        .heading("Who wakes a task")
        .text(
            "Take a handler that awaits a line from a client. The stream has nothing, so it makes a future, and the task waits \
             for that. The loop comes to its selector and sleeps in `epoll_wait`. Bytes come: `epoll_wait` returns the \
             fd, for which asyncio has registered a handle, a call to be made; the loop puts that on its list of what is ready, and runs \
             it. It reads the bytes without blocking, adds them to the stream, and sets the result of the future. \
             The future does not run anybody: it puts whoever wanted to be told on the list, with `call_soon`. In the next turn \
             comes the task's next step, which is `send` as above, and the coroutine goes on behind its `await`. Another \
             thread must use `call_soon_threadsafe`, which also writes a byte into a socket pair so that `epoll_wait` returns: that is \
             the unix socket in each asyncio loop. A server, in `server.py`:",
        )
        .file(
            "server.py",
            "import asyncio\n\
             \n\
             async def serve(reader, writer):\n    \
             await reader.readline()\n    \
             print(\"computes\", flush=True)\n    \
             sum(range(100_000_000))      # and awaits nothing\n    \
             writer.close()\n\
             \n\
             async def main():\n    \
             server = await asyncio.start_server(serve, \"127.0.0.1\", 8080)\n    \
             await server.serve_forever()\n\
             \n\
             asyncio.run(main())\n",
        )
        .session(
            "$ python3 server.py > log &\n\
             $ pid=$!\n\
             $ fdscope loops $pid\n\
             «12093»:«3»  «python3|python» epoll, idle; watches 2 fds: 1 tcp, 1 unix\n    \
             thread «12093» «python3|python»: epoll_wait on «3» (watching 2 fds: «4 6»)\n    \
             FD  KIND  EVENTS  DATA  NOW  NAME\n     \
             «4»  unix  in       ...  -    stream connected\n     \
             «6»  tcp   in       ...  -    127.0.0.1:8080 listen, queue 0 ...\n",
        )
}

fn stalls(section: Section) -> Section {
    section
        .heading("Why one computation stops everything")
        .text(
            "A task keeps the thread until its next `await` that has to wait. Nobody takes it away: the loop is a function that \
             has called another. So while a coroutine computes, or calls something that blocks (`time.sleep`, a \
             database driver that is not asynchronous, a name lookup), no event is read, no timer fires, and \
             no client is accepted; not even a time limit helps, as the loop would have to enforce it. Two clients come; \
             the first has the server compute. `fdscope loops` tells who waits, for how long, and what the thread does \
             instead (the long lines are folded):",
        )
        .session(
            "$ fdscope loops $pid --watch > stalls.log &\n\
             $ loops=$!\n\
             $ cat stalls.log\n\
             «01:19:55.992»  loop       «12093»:«3»   «python3|python» epoll, idle; ...\n\
             $ echo go > /dev/tcp/127.0.0.1/8080\n\
             $ cat log\n\
             computes\n\
             $ exec 3<>/dev/tcp/127.0.0.1/8080\n\
             $ cat stalls.log\n\
             «01:19:55.992»  loop       «12093»:«3»   «python3|python» epoll, idle; ...\n\
             «01:19:57.043»  stalled    «12093»:«3»   for «104.7 ms» so far;\n    \
             thread «12093» «python3|python»: \
             «computing: 99% of a CPU|waiting for a CPU: 80% of the time|running»;\n    \
             ... tcp 127.0.0.1:8080 listen (in, 1 to accept, for «104.7 ms»)...\n\
             «01:19:57.911»  recovered  «12093»:«3»   after «1.4 s»; ...\n\
             $ kill $loops; wait $loops\n\
             $ tail -n 1 stalls.log\n\
             «01:20:01.999»  summary    «12093»:«3»   idle «86.2»%, busy «0.1»%,\n    \
             stalled «13.7»%; \
             «1 stall|2 stalls», the longest «1.4 s»; ...\n",
        )
        .text(
            "Had the first client come alone, nobody would have waited and nothing would be told. With `--for 10s` in \
             place of `--watch` it ends by itself, with status 1 if a loop has stalled: that is for monitors. The cure: what \
             blocks goes into a thread (`asyncio.to_thread`), what computes into another process (`ProcessPoolExecutor`), \
             because of what follows.",
        )
}

fn gil(section: Section) -> Section {
    section
        .heading("The GIL")
        .text(
            "CPython has a lock, the global interpreter lock. Only the thread that has it runs Python code. So threads in Python \
             wait at the same time, but do not compute at the same time. It is let go before whatever may block: reads, \
             writes, `accept`, `sleep`, waiting for a lock; and by extensions that work long on memory of their own: \
             compression (`zlib`, `bz2`, `lzma`), hashes of more than 2047 bytes, much of numpy. These do use several CPUs. Who \
             computes in Python keeps it until another thread has waited for 5 ms \
             (`sys.setswitchinterval`), and asks for it. Two threads that compute, in `spin.py`:",
        )
        .file(
            "spin.py",
            "import threading\n\
             \n\
             def spin():\n    \
             while True:\n        \
             pass\n\
             \n\
             for _ in range(2):\n    \
             threading.Thread(target=spin, daemon=True).start()\n\
             threading.Event().wait()\n",
        )
        .session(
            "$ kill $pid\n\
             $ python3 spin.py &\n\
             $ fdscope threads $! --sample 1s --where 'likely == \"gil\"' \\\n    \
             --columns tid,cpu_percent,share,waits_for\n  \
             TID  CPU_PERCENT  SHARE  WAITS_FOR\n\
             «12872»         «48.6»   «51.5»  futex: likely the lock of the Python\n    \
             interpreter (GIL)\n\
             «12873»         «48.2»   «49.9»  futex: likely the lock of the Python\n    \
             interpreter (GIL)\n\
             $ kill $!\n",
        )
        .text(
            "Together they get one CPU, whatever there is, and each waits half of the time. In a loop's process such a thread \
             makes the loop late as well: it must get the lock back after each `epoll_wait`. Builds of CPython without that \
             lock, free-threaded, exist since 3.13, and are supported since 3.14; there, threads compute side by side, and the \
             loop is as easily blocked as ever.",
        )
}

fn elsewhere(section: Section) -> Section {
    section.heading("Other loops").terms(
        8,
        [
            (
                "libuv",
                "The loop of Node.js, one for JavaScript, on epoll, kqueue or IOCP; files and name lookups go to a pool of four \
                 threads. A long function in JavaScript stalls it as above.",
            ),
            (
                "tokio",
                "Rust's: as many worker threads as CPUs take tasks from each other, and one of them at a time waits in mio's epoll. \
                 A task that does not await holds up one worker; `spawn_blocking` is for those.",
            ),
            (
                "nginx",
                "A process for each CPU, each with a loop on epoll, and a shared or a \
                 `SO_REUSEPORT` listener. A worker that waits for a disk holds up all its connections, for which there are \
                 `aio threads`.",
            ),
        ],
    )
}
