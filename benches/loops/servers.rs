//! The servers, as far as this machine has them.

use crate::Result;
use crate::server::{Output, Running, free_port};
use crate::usage;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    program: Program,
    /// How it is held up.
    pub(crate) holdup: Holdup,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Asyncio,
    Threads,
    Prefork,
    Node,
    Nginx,
    Redis,
    Mio,
}

/// What holds a server up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holdup {
    /// A request for this path and a number of seconds.
    Path(&'static str),
    /// `DEBUG SLEEP`.
    Redis,
    /// SIGSTOP to all that serve.
    Stop,
    /// Nothing does: each connection has a thread of its own.
    Nothing,
}

const SERVERS: &[Server] = &[
    Server { name: "asyncio, sleeping", program: Program::Asyncio, holdup: Holdup::Path("sleep") },
    Server { name: "asyncio, computing", program: Program::Asyncio, holdup: Holdup::Path("spin") },
    Server { name: "python threads, asked", program: Program::Threads, holdup: Holdup::Nothing },
    Server { name: "python prefork, sleeping", program: Program::Prefork, holdup: Holdup::Path("sleep") },
    Server { name: "node, computing", program: Program::Node, holdup: Holdup::Path("spin") },
    Server { name: "nginx, stopped", program: Program::Nginx, holdup: Holdup::Stop },
    Server { name: "redis, DEBUG SLEEP", program: Program::Redis, holdup: Holdup::Redis },
    Server { name: "mio, sleeping", program: Program::Mio, holdup: Holdup::Path("sleep") },
    Server { name: "mio, computing", program: Program::Mio, holdup: Holdup::Path("spin") },
];

const ASYNCIO: &str = "import asyncio, time
async def handle(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b'\\r\\n\\r\\n')
            words = head.split(b' ')[1].split(b'/')
            if words[1] == b'sleep':
                time.sleep(float(words[2]))
            if words[1] == b'spin':
                end = time.monotonic() + float(words[2])
                while time.monotonic() < end:
                    pass
            close = b'Connection: close' in head
            writer.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n')
            await writer.drain()
            if close:
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
async def main():
    server = await asyncio.start_server(handle, '127.0.0.1', 0, backlog=4096)
    await server.serve_forever()
asyncio.run(main())
";

const THREADS: &str = "import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    wbufsize = -1
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '3')
        self.end_headers()
        self.wfile.write(b'ok\\n')
    def log_message(self, *words):
        pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 4096
Server(('127.0.0.1', 0), Handler).serve_forever()
";

const PREFORK: &str = "import os, select, socket, time
listener = socket.create_server(('127.0.0.1', 0), backlog=4096)
listener.setblocking(False)
def work():
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN | select.EPOLLEXCLUSIVE)
    clients = {}
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                try:
                    client, _ = listener.accept()
                except BlockingIOError:
                    continue
                client.setblocking(False)
                clients[client.fileno()] = client
                epoll.register(client, select.EPOLLIN)
                continue
            client = clients[fd]
            try:
                data = client.recv(65536)
            except OSError:
                data = b''
            words = data.split(b' ')[1].split(b'/') if data else []
            if words and words[1] == b'sleep':
                time.sleep(float(words[2]))
            if data:
                client.send(b'HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n')
            if not data or b'Connection: close' in data:
                epoll.unregister(fd)
                del clients[fd]
                client.close()
for _ in range(4):
    if os.fork() == 0:
        work()
os.wait()
";

const NODE: &str = "require('http').createServer((request, answer) => {
  const words = request.url.split('/')
  if (words[1] == 'spin') { const end = Date.now() + 1000 * words[2]; while (Date.now() < end); }
  answer.end('ok\\n')
}).listen({ port: 0, host: '127.0.0.1', backlog: 4096 })";

impl Server {
    /// Those that this machine has.
    pub(crate) fn installed() -> Vec<Self> {
        SERVERS.iter().copied().filter(|server| server.program().is_none_or(is_installed)).collect()
    }

    /// Those, each once, however it may be held up.
    pub(crate) fn kinds() -> Vec<Self> {
        let mut kinds = Self::installed();
        kinds.dedup_by_key(|server| server.program);
        kinds
    }

    /// Its name, without how it is held up.
    pub(crate) fn kind(&self) -> &'static str {
        self.name.split(',').next().unwrap_or_default()
    }

    /// Whether it answers requests of HTTP.
    pub(crate) fn is_http(&self) -> bool {
        self.program != Program::Redis
    }

    /// Whether one process serves.
    pub(crate) fn is_one_process(&self) -> bool {
        !matches!(self.program, Program::Prefork | Program::Nginx)
    }

    fn program(&self) -> Option<&'static str> {
        match self.program {
            Program::Asyncio | Program::Threads | Program::Prefork => Some("python3"),
            Program::Node => Some("node"),
            Program::Nginx => Some("nginx"),
            Program::Redis => Some("redis-server"),
            Program::Mio => None,
        }
    }

    /// Starts one.
    pub(crate) fn start(&self, dir: &Path) -> Result<Running> {
        let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<String>>();
        let python = |text: &str| owned(&["python3", "-c", text]);
        let words = match self.program {
            Program::Asyncio => python(ASYNCIO),
            Program::Threads => python(THREADS),
            Program::Prefork => python(PREFORK),
            Program::Node => owned(&["node", "-e", NODE]),
            Program::Nginx => owned(&["nginx", "-c", &nginx(dir, free_port()?)?]),
            Program::Redis => {
                let port = free_port()?.to_string();
                let words = ["redis-server", "--port", &port, "--bind", "127.0.0.1", "--save", ""];
                let more = ["--enable-debug-command", "local", "--dir", &dir.display().to_string()];
                owned(&[&words[..], &more[..]].concat())
            }
            Program::Mio => owned(&[&std::env::current_exe()?.display().to_string(), "--serve"]),
        };
        Running::start(&words, Output::Null)
    }

    /// The processes of one that serve, once they are there.
    pub(crate) fn workers(&self, server: &Running) -> Vec<u32> {
        let children = match self.program {
            Program::Prefork => 4,
            Program::Nginx => 2,
            _ => return vec![server.pid()],
        };
        loop {
            let tree = usage::tree(server.pid());
            if tree.len() > children {
                return tree[1..].to_vec();
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

/// Whether a program is there; says so if not.
fn is_installed(program: &str) -> bool {
    let mut probe = Command::new(program);
    probe.arg("-v").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let there = !matches!(probe.status(), Err(e) if e.kind() == ErrorKind::NotFound);
    if !there {
        eprintln!("skipped: {program}, because it is not installed");
    }
    there
}

/// Writes a configuration, and gives its path: two workers, and nothing but one answer.
fn nginx(dir: &Path, port: u16) -> Result<String> {
    let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let shown = dir.display();
    let places: String = places.iter().map(|p| format!("{p}_temp_path {shown}/{p};\n")).collect();
    let text = format!(
        "daemon off; worker_processes 2; pid {shown}/nginx.pid; error_log stderr crit;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\naccess_log off; keepalive_requests 1000000000;\n{places}\
         server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 \"ok\\n\"; }} }}\n}}\n"
    );
    let path = dir.join("nginx.conf");
    fs::write(&path, text)?;
    Ok(path.display().to_string())
}
