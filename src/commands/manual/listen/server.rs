//! Listeners that go from one process to another.

use super::Section;

pub(super) fn command() -> Section {
    Section::new("STARTING A SERVER")
        .text(
            "COMMAND starts with the listeners as fds 3, 4 and so on, in their order, those of `--fd` \
             first, and with the environment of `sd_listen_fds`(3): see ENVIRONMENT. Servers that know the \
             protocol, such as gunicorn and `dbus-daemon --address=systemd:`, need nothing else. To others \
             the number is given in the place of `{}`; if there are several listeners, that of the next \
             one each time. Programs of one's own:",
        )
        .code(
            "Python   s = socket.socket(fileno=3)\n\
             asyncio  await asyncio.start_server(serve, sock=s)\n\
             Node.js  server.listen({ fd: 3 })",
        )
        .text(
            "Others, and nginx, which takes over what its variable tells of, if its configuration listens \
             on that address:",
        )
        .code(
            "fdscope listen 127.0.0.1:8080 -- uvicorn --fd {} app:app\n\
             NGINX='3;' fdscope listen 127.0.0.1:8080 -- nginx -g 'daemon off;'",
        )
        .text(
            "`fdscope` stays beside it as the gauge. SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 \
             are passed on, but for what the terminal sends to both anyway, such as Ctrl-C. When COMMAND \
             ends, `fdscope` does, with its status. With `--timeout` it gets SIGTERM then, and is waited \
             for.",
        )
        .text("What to know:")
        .text(
            "Many servers call `listen`(2) once more with a backlog of their own, which takes the place of \
             `--backlog`: Node.js with 511, asyncio with 100, uvicorn with 2048. A `queue` event shows it \
             (`0 of 512`). Servers that leave it alone, such as nginx and plain Python, keep the one given \
             here.",
        )
        .text(
            "The listeners are blocking, unless `--nonblocking` is given, and `fdscope` holds them too: if \
             the server closes one and goes on, clients still connect, and wait. If `fdscope` is killed by \
             SIGKILL, the server goes on.",
        )
}

pub(super) fn adopting() -> Section {
    Section::new("TAKING OVER LISTENERS")
        .text(
            "`--fd` *N* takes over an fd that `fdscope` was started with, `--fd systemd` those that \
             `LISTEN_FDS` tells of, with their names. They are used as they are; only with `--backlog` \
             `listen`(2) is called, which also makes a bound socket listen that did not yet. Options of \
             sockets apply as far as they can still be set. A socket file that was made by others is left \
             to them.",
        )
        .text("This is how the service of a `.socket` unit is started. To do the same by hand:")
        .code("systemd-socket-activate -l 8080 fdscope listen --fd systemd -s http")
}
