//! The servers that are compared, as far as this machine has them.

use crate::Result;
use crate::client::Service;
use crate::installed::is_installed;
use crate::nginx;
use crate::server::{Output, free_port};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A server in one of its ways to serve.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) service: Service,
    pub(crate) output: Output,
    words: Vec<String>,
}

/// The program.
pub(crate) const FDSCOPE: &str = env!("CARGO_BIN_EXE_fdscope");

/// How socat waits for connections. Its own backlog of 5 would have clients wait for seconds.
const SOCAT: &str = "TCP-LISTEN:0,bind=127.0.0.1,fork,backlog=4096";

/// An answer from a shell: the request to its blank line, and then a fixed text.
const SHELL: &str = "#!/bin/sh
while read -r line && [ ${#line} -gt 1 ]; do :; done
printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nok\\n'
";

const NODE: &str =
    "require('http').createServer((request, answer) => answer.end('ok\\n')).listen(0, '127.0.0.1')";

/// Python's server, on a socket of its own or on the fd that it is given. As `http.server`, with a
/// thread a connection, but for its log, its files, its backlog of 5, and its two writes an answer,
/// the second of which waits 40 ms for the client's delayed ACK.
const PYTHON: &str = "import http.server, socket, sys
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
if len(sys.argv) > 1:
    server = Server(('127.0.0.1', 0), Handler, bind_and_activate=False)
    server.socket = socket.socket(fileno=int(sys.argv[1]))
else:
    server = Server(('127.0.0.1', 0), Handler)
server.serve_forever()
";

impl Contestant {
    /// Those that this machine has, fdscope's event loop first. What they need is in `dir`.
    pub(crate) fn installed(dir: &Path, service: Service) -> Result<Vec<Self>> {
        let make = |name, output, words: &[&str]| Self {
            name,
            service,
            output,
            words: words.iter().map(ToString::to_string).collect(),
        };
        let word = if service == Service::Http { "http" } else { "echo" };
        let fdscope = |name, output, more: &[&str]| {
            make(name, output, &[&[FDSCOPE, "listen", "127.0.0.1:0", "--serve", word], more].concat())
        };
        let mut all = vec![
            fdscope("fdscope event-loop", Output::Null, &[]),
            fdscope("  lines to a pipe", Output::Pipe, &[]),
            fdscope("  jsonl to a pipe", Output::Pipe, &["--format", "jsonl"]),
            fdscope("fdscope threads", Output::Null, &["--model", "threads"]),
            fdscope("fdscope processes", Output::Null, &["--model", "processes"]),
        ];
        if service == Service::Http {
            let web = dir.join("web");
            fs::create_dir_all(&web)?;
            fs::write(web.join("index.html"), "ok\n")?;
            let web = web.display().to_string();
            let shell = dir.join("answer.sh");
            fs::write(&shell, SHELL)?;
            fs::set_permissions(&shell, fs::Permissions::from_mode(0o755))?;
            let python = ["python3", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", &web];
            all.push(make(
                "python http.server",
                Output::Null,
                &[&python[..], &["--protocol", "HTTP/1.1"]].concat(),
            ));
            all.push(make(
                "socat EXEC:sh",
                Output::Null,
                &["socat", SOCAT, &format!("EXEC:{}", shell.display())],
            ));
            all.push(make("node", Output::Null, &["node", "-e", NODE]));
            all.push(make(
                "nginx, 1 worker",
                Output::Null,
                &["nginx", "-c", &nginx::configuration(dir).display().to_string()],
            ));
        } else {
            all.push(make("socat PIPE", Output::Null, &["socat", SOCAT, "PIPE"]));
            all.push(make("socat EXEC:cat", Output::Null, &["socat", SOCAT, "EXEC:cat"]));
        }
        all.retain(|c| is_installed(&c.words[0], &c.words[0]));
        Ok(all)
    }

    /// Whether it can serve more than one request of a connection.
    pub(crate) fn keeps_connections(&self) -> bool {
        self.service == Service::ECHO || self.words[0] != "socat"
    }

    /// The command line of a new start.
    pub(crate) fn words(&self, dir: &Path) -> Result<Vec<String>> {
        if self.words[0] == "nginx" {
            nginx::configure(dir, free_port()?, WORKERS)?;
        }
        Ok(self.words.clone())
    }
}

/// How many processes of nginx answer. Without a master beside it, nginx 1.22 crashes when it is handed
/// a listener.
pub(crate) const WORKERS: usize = 1;

/// Writes a server in Python, and gives its path.
pub(crate) fn python(dir: &Path) -> Result<String> {
    let path = dir.join("server.py");
    fs::write(&path, PYTHON)?;
    Ok(path.display().to_string())
}
