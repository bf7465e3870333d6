//! The arguments of `listen`, and what they amount to.

use super::foreign::WatchOnly;
use super::session::{Bounds, Count};
use crate::commands::{complete, signals, values};
use crate::error::Error;
use crate::listener::{Address, Inherited, Options, Policy, Service, SocketType};
use clap::ValueHint;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap_complete::engine::ArgValueCompleter;
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Listen with a chosen backlog, and watch the accept queue
///
/// Opens listeners, or takes over those that are open already, and shows what becomes of the
/// connections: accepted and served here, by a COMMAND that is given the listeners, or left waiting
/// to see the queue fill. With --watch-only, shows the queue of somebody else's listener, which is
/// looked at and not held.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// HOST:PORT, :PORT for all addresses, [IPV6]:PORT, unix:PATH, unix:@NAME or vsock:CID:PORT; port 0
    /// is any free one
    #[arg(value_name = "ADDRESS", add = ArgValueCompleter::new(complete::addresses),
          value_parser = OsStringValueParser::new().try_map(|text| Address::parse(&text)))]
    pub(super) addresses: Vec<Address>,
    /// A server to start, with the listeners as fds 3 and up (sd_listen_fds(3)) and their numbers in
    /// the place of {}
    #[arg(last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub(super) command: Vec<OsString>,

    /// How many connections may wait: what listen(2) is given. The kernel admits one more, and keeps
    /// no more than net.core.somaxconn, which is also what -1 and the default mean
    #[arg(long, short = 'b', value_name = "N", help_heading = "Listening", allow_negative_numbers = true,
          value_parser = clap::value_parser!(i32).range(-1..))]
    backlog: Option<i32>,
    /// Take over a listener that is open already, by its number, or 'systemd' for those of
    /// LISTEN_FDS
    #[arg(long, value_name = "N", help_heading = "Listening")]
    pub(super) fd: Vec<Inherited>,
    /// Type of unix sockets
    #[arg(long = "type", value_name = "TYPE", help_heading = "Listening", default_value = "stream")]
    socket_type: SocketType,
    /// Share the port with other listeners that do so too (SO_REUSEPORT)
    #[arg(long, help_heading = "Listening")]
    reuse_port: bool,
    /// Do not take a port that connections of an earlier listener still have (no SO_REUSEADDR)
    #[arg(long, help_heading = "Listening")]
    no_reuse_address: bool,
    /// IPv6 only, where IPv4 would be served too (IPV6_V6ONLY)
    #[arg(long, help_heading = "Listening")]
    v6_only: bool,
    /// Let connections wait for their first data, for so many seconds (TCP_DEFER_ACCEPT)
    #[arg(long, value_name = "SECONDS", help_heading = "Listening",
          value_parser = clap::value_parser!(i32).range(0..))]
    defer_accept: Option<i32>,
    /// Let so many connections bring data before their handshake is over (TCP_FASTOPEN)
    #[arg(long, value_name = "N", help_heading = "Listening", value_parser = clap::value_parser!(i32).range(0..))]
    fast_open: Option<i32>,
    /// Receive buffer of the connections, such as 64K (SO_RCVBUF)
    #[arg(long, value_name = "BYTES", help_heading = "Listening", value_parser = values::buffer_size)]
    recv_buffer: Option<u32>,
    /// Send buffer of the connections, such as 64K (SO_SNDBUF)
    #[arg(long, value_name = "BYTES", help_heading = "Listening", value_parser = values::buffer_size)]
    send_buffer: Option<u32>,
    /// Make the listeners non-blocking; the default with --model event-loop
    #[arg(long, help_heading = "Listening", conflicts_with = "blocking")]
    nonblocking: bool,
    /// Make the listeners blocking; the default otherwise
    #[arg(long, help_heading = "Listening")]
    blocking: bool,
    /// Permissions of a socket file, such as 0600
    #[arg(long, value_name = "MODE", help_heading = "Listening", value_parser = values::mode)]
    mode: Option<u32>,

    /// How many connections to accept: all, none (the queue fills), or a number
    #[arg(long, short = 'a', value_name = "HOW-MANY", help_heading = "Accepting", default_value = "all",
          conflicts_with_all = ["command", "watch_only"])]
    accept: HowMany,
    /// Accept no faster than this, such as 5/s or 10/min
    #[arg(long, value_name = "RATE", help_heading = "Accepting", value_parser = values::rate,
          conflicts_with_all = ["command", "watch_only"])]
    accept_rate: Option<Duration>,
    /// Wait so long before each connection is accepted, such as 200ms, one after the other
    #[arg(long, value_name = "TIME", help_heading = "Accepting", value_parser = values::period,
          conflicts_with_all = ["command", "watch_only"])]
    accept_delay: Option<Duration>,
    /// Accept one connection for each SIGUSR1; those that come before the last was taken are one
    #[arg(long, help_heading = "Accepting", conflicts_with_all = ["command", "watch_only"])]
    accept_on_signal: bool,

    /// What to do with accepted connections: discard (the default), echo, hold, close, send=FILE,
    /// http or compute
    #[arg(long, short = 's', value_name = "SERVICE", help_heading = "Serving",
          value_parser = OsStringValueParser::new().try_map(|text| Service::parse(&text)),
          add = ArgValueCompleter::new(complete::services),
          conflicts_with_all = ["command", "watch_only", "exec"])]
    serve: Option<Service>,
    /// Run a shell command for each connection, with the connection as its standard input and output
    #[arg(long, value_name = "CMD", help_heading = "Serving", value_hint = ValueHint::CommandString,
          conflicts_with_all = ["command", "watch_only", "model"])]
    pub(super) exec: Option<OsString>,
    /// Who serves a connection
    #[arg(long, value_name = "MODEL", help_heading = "Serving", default_value = "event-loop",
          conflicts_with_all = ["command", "watch_only"])]
    pub(super) model: Model,
    /// Accept no more while so many children run, of --exec or --model processes
    #[arg(long, value_name = "N", help_heading = "Serving", value_parser = clap::value_parser!(u64).range(1..),
          conflicts_with_all = ["command", "watch_only"])]
    max_children: Option<u64>,
    /// Serve one connection, which is standard input and output: for inetd(8) and the like
    #[arg(long, help_heading = "Serving",
          conflicts_with_all = ["addresses", "command", "fd", "watch_only", "exec", "model", "timeout", "count"])]
    pub(super) inetd: bool,
    /// Names of the listeners to COMMAND, in their order (LISTEN_FDNAMES)
    #[arg(long, value_name = "NAME", help_heading = "Serving", value_parser = fd_name, requires = "command")]
    fd_name: Vec<String>,

    /// Only watch the queue of somebody else's listener: PID:FD, or all TCP listeners on a PORT
    #[arg(long, value_name = "PID:FD|PORT", help_heading = "Watching",
          add = ArgValueCompleter::new(complete::listening_ports),
          conflicts_with_all = ["addresses", "command", "fd", "backlog"])]
    pub(super) watch_only: Option<WatchOnly>,
    /// How often to look at the queue; one's own is also looked at when a connection comes
    #[arg(long, value_name = "TIME", help_heading = "Watching", value_parser = values::period,
          default_value = "100ms")]
    interval: Duration,
    /// Write events to a file instead of standard output
    #[arg(long, short = 'o', value_name = "FILE", help_heading = "Output", value_hint = ValueHint::FilePath)]
    pub(super) output: Option<PathBuf>,

    /// End after this time, with status 124; a COMMAND gets SIGTERM then
    #[arg(long, short = 't', value_name = "TIME", help_heading = "Ending", value_parser = values::period)]
    timeout: Option<Duration>,
    /// End after so many connections were accepted and have ended; where fdscope accepts none, after
    /// so many changes of a queue
    #[arg(long, short = 'n', value_name = "N", help_heading = "Ending", conflicts_with = "command",
          value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

const EXAMPLES: &str = "\
Examples:
  fdscope listen :8080 --backlog 5 --accept none  what do clients do when the queue is full
  fdscope listen :8080 --serve http               something for a load tool to talk to
  fdscope listen :8080 -- ./server --fd {}        start a server on a socket
  fdscope listen --watch-only 80                  does the server on port 80 keep up";

/// How many connections to accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HowMany {
    All,
    Number(u64),
}

impl FromStr for HowMany {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            "none" => Ok(Self::Number(0)),
            _ if text.bytes().all(|b| b.is_ascii_digit()) => {
                text.parse().map(Self::Number).map_err(|_| "that is more than can be counted".to_owned())
            }
            _ => Err("it is 'all', 'none' or a number".to_owned()),
        }
    }
}

impl std::fmt::Display for HowMany {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Number(0) => f.write_str("none"),
            Self::Number(n) => n.fmt(f),
        }
    }
}

/// Who serves connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::commands) enum Model {
    /// A thread each, which waits for it alone
    Threads,
    /// A process each, which waits for it alone
    Processes,
    /// One thread, which waits for all of them at once
    EventLoop,
}

impl Model {
    /// Its name on the command line and in output.
    pub(in crate::commands) fn name(self) -> &'static str {
        match self {
            Self::Threads => "threads",
            Self::Processes => "processes",
            Self::EventLoop => "event-loop",
        }
    }
}

/// Colons stand between names.
fn fd_name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.len() <= 255;
    if fits && text.bytes().all(|b| (b' '..0x7f).contains(&b) && b != b':') {
        return Ok(text.to_owned());
    }
    Err("a name is of 1 to 255 printable ASCII characters, and no colon".to_owned())
}

impl Args {
    /// What the definition of the command line cannot check.
    pub(super) fn check(&self) -> Result<(), Error> {
        let usage = |text: &str| Err(Error::Usage(text.to_owned()));
        let own = !self.addresses.is_empty();
        if !own && self.fd.is_empty() && self.watch_only.is_none() {
            return usage(
                "an ADDRESS to listen on is missing, such as 127.0.0.1:8080 (or --fd, or --watch-only)",
            );
        }
        if self.watch_only.is_some() && self.has_socket_options() {
            return usage(
                "--watch-only looks at a listener of others: options of sockets are of no use with it",
            );
        }
        let tcp = self.addresses.iter().any(Address::is_tcp) || !self.fd.is_empty();
        if !tcp
            && (self.reuse_port
                || self.no_reuse_address
                || self.v6_only
                || self.defer_accept.is_some()
                || self.fast_open.is_some())
        {
            return usage(
                "--reuse-port, --no-reuse-address, --v6-only, --defer-accept and --fast-open are for TCP addresses",
            );
        }
        if let Some(address) = self.addresses.iter().find(|a| self.v6_only && a.is_ipv4()) {
            return usage(&format!("{}: --v6-only is for IPv6 addresses", address.text()));
        }
        if self.mode.is_some() && !self.addresses.iter().any(|a| a.path().is_some()) {
            return usage("--mode is for socket files: unix:PATH");
        }
        if self.socket_type == SocketType::Seqpacket && !self.addresses.iter().any(Address::is_unix) {
            return usage("--type seqpacket is for unix sockets: unix:PATH or unix:@NAME");
        }
        if self.max_children.is_some() && self.exec.is_none() && self.model != Model::Processes {
            return usage("--max-children is for --exec and --model processes");
        }
        if let (HowMany::Number(most @ 1..), Some(count)) = (self.accept, self.count)
            && count > most
        {
            return usage("--count waits for more connections than --accept lets in");
        }
        if self.fd.is_empty() && self.fd_name.len() > self.addresses.len() {
            return usage("there are more --fd-name than listeners");
        }
        Ok(())
    }

    fn has_socket_options(&self) -> bool {
        self.reuse_port
            || self.no_reuse_address
            || self.v6_only
            || self.defer_accept.is_some()
            || self.fast_open.is_some()
            || self.recv_buffer.is_some()
            || self.send_buffer.is_some()
            || self.nonblocking
            || self.blocking
            || self.mode.is_some()
            || self.socket_type != SocketType::Stream
    }

    /// How new listeners are made.
    pub(super) fn for_new(&self) -> Options {
        let event_loop = self.command.is_empty() && self.exec.is_none() && self.model == Model::EventLoop;
        Options {
            backlog: Some(self.backlog.unwrap_or(-1)),
            nonblocking: Some(self.nonblocking || (event_loop && !self.blocking)),
            ..self.for_old()
        }
    }

    /// What is changed of listeners that are taken over: what was asked for, and no more.
    pub(super) fn for_old(&self) -> Options {
        Options {
            backlog: self.backlog,
            socket_type: self.socket_type,
            reuse_address: !self.no_reuse_address,
            reuse_port: self.reuse_port,
            v6_only: self.v6_only,
            defer_accept: self.defer_accept,
            fast_open: self.fast_open,
            recv_buffer: self.recv_buffer,
            send_buffer: self.send_buffer,
            nonblocking: (self.nonblocking || self.blocking).then_some(self.nonblocking),
            mode: self.mode,
        }
    }

    /// Whether listeners that are taken over must listen already.
    pub(super) fn old_must_listen(&self) -> bool {
        self.backlog.is_none()
    }

    /// Whether connections shall bring data with their handshake.
    pub(super) fn wants_fast_open(&self) -> bool {
        self.fast_open.is_some_and(|queue| queue > 0)
    }

    /// The names that the user gives the listeners.
    pub(super) fn names(&self) -> impl Iterator<Item = Vec<u8>> {
        self.fd_name.iter().map(|name| name.clone().into_bytes())
    }

    /// What is done with connections.
    pub(super) fn service(&self) -> Service {
        self.serve.clone().unwrap_or(Service::Discard)
    }

    /// When connections may be accepted.
    pub(super) fn policy(&self) -> Policy {
        let most = match self.accept {
            HowMany::All => None,
            HowMany::Number(n) => Some(n),
        };
        // Of two limits the lower one; but where none is accepted, --count is of something else.
        let most = match (most, self.count) {
            (Some(most), Some(count)) => Some(most.min(count)),
            (most, count) => most.or(count),
        };
        Policy {
            most,
            spacing: self.accept_rate,
            delay: self.accept_delay,
            on_signal: self.accept_on_signal,
            most_at_once: self.max_children,
        }
    }

    /// When to end, and how often to look.
    pub(super) fn bounds(&self) -> Bounds {
        let others = self.watch_only.is_some() || self.accept == HowMany::Number(0);
        let count = self.count.map(|most| {
            if others {
                return Count::Changes(most);
            }
            Count::Connections { most, finish: self.exec.is_some() || !self.service().never_ends() }
        });
        Bounds { interval: self.interval, timeout: self.timeout, count }
    }

    /// The signals that are read, and not just obeyed.
    pub(super) fn signals(&self) -> Vec<Signal> {
        let mut read = signals::ENDING.to_vec();
        read.push(Signal::SIGCHLD);
        if self.accept_on_signal {
            read.push(Signal::SIGUSR1);
        }
        if !self.command.is_empty() {
            read.extend([Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2]);
        }
        read
    }
}
