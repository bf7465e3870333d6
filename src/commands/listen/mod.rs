//! `fdscope listen`: a listener with a chosen backlog, and a gauge on its accept queue.

mod accepting;
mod attention;
mod beside;
mod event;
mod foreign;
mod inetd;
mod lines;
mod meter;
mod options;
mod session;
mod trouble;
mod watched;

pub(super) use event::fields;
pub use options::Args;
pub(super) use options::Model;

use super::signals::{self, Signals};
use super::sink::{Sink, Written};
use crate::context::{Context, complain};
use crate::error::{Error, Outcome};
use crate::listener::{Acceptor, Children, EventLoop, Listener, Server, SocketAddress, SocketFile, adopt};
use crate::model::{Escape, escape};
use crate::proc::ProcRoot;
use crate::render::Renderer;
use crate::sys;
use accepting::{Accepting, Running};
use beside::Beside;
use event::Listening;
use meter::Meters;
use session::{End, FIRST_CONNECTION, Session};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::sync::mpsc::channel;

/// `TFO_SERVER_ENABLE` of `net.ipv4.tcp_fastopen`.
const TCP_FASTOPEN_SERVER: u64 = 2;

/// The status of output that could not be written, which is told already.
const UNWRITTEN: u8 = 2;

/// What a run looks at.
struct Scene {
    /// What there is to say of each listener.
    listening: Vec<Listening>,
    meters: Meters,
    /// Kept apart from the listeners: a thread that is accepting still holds those when we end. Before
    /// them, so that nobody takes a file for abandoned that is about to be removed.
    _files: Vec<SocketFile>,
    /// Our own.
    listeners: Arc<[Listener]>,
}

/// Runs `fdscope listen`.
pub fn run(args: Args, context: &mut Context) -> Result<Outcome, Error> {
    if args.inetd {
        return inetd::serve(&args.service());
    }
    args.check()?;
    let caught = signals::catch(&args.signals()).map_err(|e| Error::Io("signals".to_owned(), e))?;
    let scene = match args.watch_only {
        Some(only) => {
            let (listening, meters) = foreign::find(only, context)?;
            Scene { listening, meters, listeners: Arc::new([]), _files: Vec::new() }
        }
        None => own(&args, context)?,
    };
    let command = beside::with_numbers(&args.command, scene.listeners.len()).map_err(Error::Usage)?;
    let mut file = args
        .output
        .as_ref()
        .map(|path| {
            let wrong = |e| Error::Usage(format!("cannot write {}: {e}", shown(path.as_os_str())));
            File::create(path).map_err(wrong)
        })
        .transpose()?;
    let terminal = file.as_ref().map_or(context.style.terminal, |f| f.is_terminal());
    // Beside what a command writes to the terminal, a line cannot stay.
    let status = terminal && command.is_empty();
    let renderer = Renderer::new(context.style, "listen", event::COLUMNS.to_vec(), false);
    let out: &mut dyn Write = match &mut file {
        Some(file) => file,
        None => &mut context.out,
    };
    let sink = Sink::new(&renderer, out, lines::line, scene.listening.len() > 1, status, !command.is_empty());
    let signals = Signals::open(caught).map_err(|e| Error::Io("signals".to_owned(), e))?;
    let mut session = Session::start(sink, signals, scene.meters, scene.listening, args.bounds())?;
    session.attend(&scene.listeners)?;
    let mut accepting = if args.watch_only.is_some() {
        Accepting::Others
    } else if command.is_empty() {
        accept(&args, &scene.listeners, &session)?
    } else {
        match Beside::start(&command, &scene.listeners) {
            Ok(beside) => {
                session.tell(beside.started(&command[0]))?;
                Accepting::Command(beside)
            }
            Err(e) => {
                session.finish(false)?;
                complain(&format!("cannot start {}: {e}", shown(&command[0])));
                // As a shell, and timeout(1), have it.
                return Ok(Outcome::Status(if e.kind() == io::ErrorKind::NotFound { 127 } else { 126 }));
            }
        }
    };
    let end = session.run(&mut accepting)?;
    let timed_out = session.timed_out();
    let accepts = matches!(accepting, Accepting::Here(_) | Accepting::There { .. });
    let written = session.finish(accepts)?;
    match end {
        End::Count => Ok(Outcome::Met),
        End::Timeout => Ok(Outcome::TimedOut),
        End::Command(_) if timed_out => Ok(Outcome::TimedOut),
        End::Command(ended) => Ok(Outcome::Status(match (ended.status(), written) {
            (0, Written::InPart) => UNWRITTEN,
            (status, _) => status,
        })),
        End::Signal(signal) => Ok(Outcome::Signalled(signal as i32)),
        End::Gone => Err(Error::Target),
    }
}

/// Opens listeners, or takes them over.
fn own(args: &Args, context: &Context) -> Result<Scene, Error> {
    let root = &context.root;
    let mut listeners = adopt(&args.fd, args.old_must_listen()).map_err(Error::Refused)?;
    let old = args.for_old();
    for listener in &mut listeners {
        let what = escape(&listener.local.bytes(), Escape::Table).into_owned();
        listener.tune(&old).map_err(|(step, e)| Error::Refused(trouble::refused(&what, step, e)))?;
    }
    let new = args.for_new();
    for address in &args.addresses {
        let listener = Listener::open(address, &new);
        listeners.push(listener.map_err(|e| Error::Refused(trouble::explain(e, &new, root)))?);
    }
    if listeners.len() < args.names().count() {
        return Err(Error::Usage("there are more --fd-name than listeners".to_owned()));
    }
    for (listener, name) in listeners.iter_mut().zip(args.names()) {
        listener.name = Some(name);
    }
    if !args.command.is_empty() {
        listeners =
            placed(listeners).map_err(|e| Error::Refused(format!("cannot place the listeners: {e}")))?;
    }
    let files = listeners.iter_mut().filter_map(|l| l.file.take()).collect();
    let listeners: Arc<[Listener]> = listeners.into();
    let mut meters = Meters::own(Arc::clone(&listeners), &root.join("self/net/netstat"));
    let mut listening = describe(&listeners, root);
    meters.fill(&mut listening);
    listening.iter().for_each(|listening| warn(listening, context));
    let serves = |mode: u64| mode & TCP_FASTOPEN_SERVER != 0;
    if args.wants_fast_open() && !setting(root, "net/ipv4/tcp_fastopen").is_some_and(serves) {
        context.note("--fast-open has no effect: net.ipv4.tcp_fastopen does not have 2 in it, for servers");
    }
    Ok(Scene { listening, meters, listeners, _files: files })
}

/// The listeners, their fds being those that a command looks for.
fn placed(listeners: Vec<Listener>) -> io::Result<Vec<Listener>> {
    let (fds, rest): (Vec<_>, Vec<_>) =
        listeners.into_iter().map(|l| (l.socket, (l.local, l.name, l.requested, l.file))).unzip();
    let fds = sys::place(fds)?;
    let join = |(socket, (local, name, requested, file))| Listener { socket, local, name, requested, file };
    Ok(fds.into_iter().zip(rest).map(join).collect())
}

/// What there is to say of our own listeners, but for their queues.
fn describe(listeners: &[Listener], root: &ProcRoot) -> Vec<Listening> {
    let somaxconn = somaxconn(root);
    let describe = |listener: &Listener| {
        let family = match &listener.local {
            SocketAddress::Inet(address) if address.is_ipv4() => "tcp",
            SocketAddress::Inet(_) => "tcp6",
            SocketAddress::Vsock { .. } => "vsock",
            _ => "unix",
        };
        Listening {
            address: listener.local.bytes(),
            fd: Some(listener.fd()),
            pid: None,
            command: None,
            name: listener.name.clone(),
            family,
            socket_type: listener.type_name(),
            requested: listener.requested,
            queue: None,
            somaxconn,
            foreign: false,
        }
    };
    listeners.iter().map(describe).collect()
}

/// The ceiling of backlogs.
fn somaxconn(root: &ProcRoot) -> Option<u64> {
    setting(root, "net/core/somaxconn")
}

/// The value of a sysctl(8), by its path.
fn setting(root: &ProcRoot, path: &str) -> Option<u64> {
    std::fs::read_to_string(root.join("sys").join(path)).ok()?.trim().parse().ok()
}

/// Says what the user should know of a listener.
fn warn(listening: &Listening, context: &Context) {
    let address = escape(&listening.address, Escape::Table);
    let Some(requested) = listening.requested else { return };
    match listening.queue.and_then(|queue| queue.max) {
        // -1 asks for as much as there is.
        Some(max) if requested >= 0 && i64::from(requested) > i64::from(max) => context.note(&format!(
            "{address}: the backlog {requested} was clamped to {max}, net.core.somaxconn; after raising that \
             with sysctl(8), listen again"
        )),
        Some(_) => {}
        None => context
            .note(&format!("{address}: the kernel does not tell the backlog and the queue of this socket")),
    }
}

/// Starts to accept, as the user wants it.
fn accept(args: &Args, listeners: &Arc<[Listener]>, session: &Session<'_>) -> Result<Accepting, Error> {
    let (policy, service) = (args.policy(), args.service());
    let server = match (&args.exec, args.model) {
        (Some(shell_command), _) => {
            let arguments = vec!["-c".into(), shell_command.clone()];
            Server::Children(Arc::new(Children::new("/bin/sh".into(), arguments)))
        }
        (None, Model::EventLoop) => {
            let event_loop = EventLoop::new(Arc::clone(listeners), policy, service, FIRST_CONNECTION);
            return Ok(Accepting::Here(Box::new(event_loop)));
        }
        (None, Model::Threads) => Server::Threads(service),
        (None, Model::Processes) => {
            let arguments: Vec<OsString> =
                vec!["listen".into(), "--inetd".into(), "--serve".into(), service.word()];
            Server::Children(Arc::new(Children::new(own_program(), arguments)))
        }
    };
    let children = match &server {
        Server::Children(children) => Some(Running(Arc::clone(children))),
        Server::Threads(_) => None,
    };
    let (sender, reports) = channel();
    let acceptor = Acceptor::start(Arc::clone(listeners), policy, server, sender, session.waker()?);
    let acceptor = acceptor.map_err(|e| Error::Refused(format!("cannot start a thread: {e}")))?;
    Ok(Accepting::There { acceptor, reports, children })
}

/// What a user wrote, in a message.
fn shown(text: &OsStr) -> Cow<'_, str> {
    escape(text.as_bytes(), Escape::Table)
}

/// The program that this is: by its path, whose name the children then have, as long as it is
/// there.
pub(super) fn own_program() -> OsString {
    match std::env::current_exe() {
        Ok(path) if path.exists() => path.into(),
        _ => "/proc/self/exe".into(),
    }
}
