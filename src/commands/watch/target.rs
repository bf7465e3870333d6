//! What `watch` is pointed at, as the user writes it.

use crate::model::FdNum;
use crate::proc::Target as ProcessTarget;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// A target as it was written.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// As it was written.
    pub(super) text: OsString,
    pub(super) what: What,
}

/// What it is.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// An fd that we were started with.
    Own(FdNum),
    /// Fds of other processes; with `all`, also those that they open later.
    Process { target: ProcessTarget, all: bool },
    /// A file to open.
    Path { path: PathBuf, how: Access },
    /// Somebody to connect to.
    Connect(Remote),
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    ReadWrite,
}

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Remote {
    /// `HOST:PORT`, over TCP.
    Tcp(String),
    /// `HOST:PORT`, over UDP.
    Udp(String),
    /// A socket file, or with a leading NUL an abstract name.
    Unix(Vec<u8>),
}

impl Remote {
    /// The kind of a socket that is connected to it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Udp(_) => "udp",
            Self::Unix(_) => "unix",
        }
    }

    /// What that socket is.
    pub(super) fn name(&self) -> Vec<u8> {
        match self {
            Self::Tcp(address) | Self::Udp(address) => format!("→ {address}").into_bytes(),
            Self::Unix(name) => match name.strip_prefix(b"\0") {
                Some(name) => ["→ @".as_bytes(), name].concat(),
                None => ["→ ".as_bytes(), name].concat(),
            },
        }
    }
}

const FORMS: &str = "an inherited fd such as 0, PID:FDS, PID:all, NAME:FDS, a PATH (with r:, w: or rw: \
                     before it perhaps), tcp:HOST:PORT, udp:HOST:PORT or unix:PATH";

impl Target {
    /// Reads a target.
    pub(super) fn parse(text: &OsStr) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), what: what(text)? })
    }
}

fn what(text: &OsStr) -> Result<What, String> {
    if text.is_empty() {
        return Err(format!("a target is {FORMS}"));
    }
    let bytes = text.as_bytes();
    if let Some(name) = bytes.strip_prefix(b"unix:") {
        return unix(name).map(What::Connect);
    }
    for (prefix, how) in [("rw:", Access::ReadWrite), ("r:", Access::Read), ("w:", Access::Write)] {
        if let Some(path) = bytes.strip_prefix(prefix.as_bytes()) {
            return self::path(path, how);
        }
    }
    if bytes.contains(&b'/') && !bytes.starts_with(b"tcp:") && !bytes.starts_with(b"udp:") {
        return self::path(bytes, Access::Read);
    }
    let text = text.to_str().ok_or("only paths may be other than UTF-8")?;
    if let Some(address) = text.strip_prefix("tcp:") {
        return host_and_port(address).map(|address| What::Connect(Remote::Tcp(address)));
    }
    if let Some(address) = text.strip_prefix("udp:") {
        return host_and_port(address).map(|address| What::Connect(Remote::Udp(address)));
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let fd = text.parse().map_err(|_| format!("'{text}' is not an fd number"))?;
        return Ok(What::Own(FdNum(fd)));
    }
    if let Some(who) = text.strip_suffix(":all") {
        return Ok(What::Process { target: who.parse()?, all: true });
    }
    let target: ProcessTarget = text.parse()?;
    if target.fds.is_none() {
        return Err(format!(
            "'{text}' does not say which fds: {text}:3 or {text}:all for a process of that name, ./{text} for a \
             file; a target is {FORMS}"
        ));
    }
    Ok(What::Process { target, all: false })
}

fn path(path: &[u8], how: Access) -> Result<What, String> {
    if path.is_empty() {
        return Err("a path is missing behind r:, w: or rw:".to_owned());
    }
    Ok(What::Path { path: OsStr::from_bytes(path).into(), how })
}

fn unix(name: &[u8]) -> Result<Remote, String> {
    match name.split_first() {
        None => Err("unix: wants a path, or @ and an abstract name, behind it".to_owned()),
        Some((b'@', rest)) => Ok(Remote::Unix([b"\0", rest].concat())),
        Some(_) => Ok(Remote::Unix(name.to_vec())),
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
    let fits =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|n| n > 0);
    if port.is_some_and(fits) {
        return Ok(text.to_owned());
    }
    Err(format!("'{text}' is not HOST:PORT, such as localhost:8080 or [::1]:8080"))
}

#[cfg(test)]
mod tests {
    use super::{Access, FdNum, OsStr, Remote, Target, What};

    fn parse(text: &str) -> What {
        Target::parse(OsStr::new(text)).unwrap_or_else(|e| panic!("{text}: {e}")).what
    }

    #[test]
    fn forms() {
        assert!(matches!(parse("0"), What::Own(FdNum(0))));
        assert!(matches!(parse("12:3"), What::Process { all: false, .. }));
        assert!(matches!(parse("12:all"), What::Process { all: true, .. }));
        assert!(matches!(parse("nginx:0-4"), What::Process { all: false, .. }));
        assert!(matches!(parse("/tmp/f"), What::Path { how: Access::Read, .. }));
        assert!(matches!(parse("rw:f"), What::Path { how: Access::ReadWrite, .. }));
        assert!(matches!(parse("w:./f"), What::Path { how: Access::Write, .. }));
        let connect = |text| if let What::Connect(remote) = parse(text) { remote } else { panic!("{text}") };
        assert_eq!(connect("tcp:localhost:80"), Remote::Tcp("localhost:80".to_owned()));
        assert_eq!(connect("udp:[::1]:53"), Remote::Udp("[::1]:53".to_owned()));
        assert_eq!(connect("unix:/run/a"), Remote::Unix(b"/run/a".to_vec()));
        assert_eq!(connect("unix:@a"), Remote::Unix(b"\0a".to_vec()));
    }

    #[test]
    fn refusals() {
        for text in
            ["", "nginx", "tcp:", "tcp:80", "tcp:h:0", "tcp:h:70000", "unix:", "r:", "99999999999", "1:7-3"]
        {
            assert!(Target::parse(OsStr::new(text)).is_err(), "{text:?}");
        }
        let error = Target::parse(OsStr::new("nginx")).unwrap_err();
        assert!(error.contains("nginx:all") && error.contains("./nginx"), "{error}");
    }
}
