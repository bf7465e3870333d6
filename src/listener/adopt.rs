//! Listeners that are open already: inherited by number, or as `sd_listen_fds(3)` has it.

use super::open::{Listener, local_address};
use crate::model::{Escape, FdNum, escape};
use crate::sys;
use rustix::io::Errno;
use rustix::net::{SocketType, sockopt};
use std::str::FromStr;

/// Which fds to take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherited {
    /// The one of this number.
    Number(FdNum),
    /// Those that `LISTEN_FDS` tells of.
    Systemd,
}

impl FromStr for Inherited {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "systemd" {
            return Ok(Self::Systemd);
        }
        if text.bytes().all(|b| b.is_ascii_digit())
            && let Ok(number) = text.parse()
        {
            return Ok(Self::Number(FdNum(number)));
        }
        Err("an fd is a number such as 3, or 'systemd' for those of LISTEN_FDS".to_owned())
    }
}

/// An fd, and what it is called.
type Passed = (FdNum, Option<Vec<u8>>);

/// Takes them over, each once. `listens` says whether each must listen already.
pub fn adopt(inherited: &[Inherited], listens: bool) -> Result<Vec<Listener>, String> {
    let mut wanted: Vec<Passed> = Vec::new();
    for one in inherited {
        match one {
            Inherited::Number(fd) => wanted.push((*fd, None)),
            Inherited::Systemd => wanted.extend(from_environment(|name| std::env::var(name).ok())?),
        }
    }
    for (i, (fd, _)) in wanted.iter().enumerate() {
        if wanted[..i].iter().any(|(other, _)| other == fd) {
            return Err(format!("fd {fd} is named twice"));
        }
    }
    wanted.into_iter().map(|(fd, name)| take(fd, name, listens)).collect()
}

fn take(fd: FdNum, name: Option<Vec<u8>>, listens: bool) -> Result<Listener, String> {
    let socket = sys::take_inherited(fd).map_err(|e| match Errno::from_io_error(&e) {
        Some(Errno::BADF) => {
            format!("fd {fd} is not open here; a shell opens it with redirections such as {fd}<FILE")
        }
        _ => format!("fd {fd} cannot be taken over: {e}"),
    })?;
    match sockopt::socket_type(&socket) {
        Ok(SocketType::STREAM | SocketType::SEQPACKET) => {}
        Ok(_) => {
            return Err(format!("fd {fd} is a socket for datagrams, which no connection can be made to"));
        }
        Err(Errno::NOTSOCK) => return Err(format!("fd {fd} is not a socket")),
        Err(e) => return Err(format!("fd {fd} cannot be looked at: {e}")),
    }
    if rustix::net::getpeername(&socket).is_ok_and(|peer| peer.is_some()) {
        return Err(format!("fd {fd} is a connection, which cannot listen"));
    }
    let listening = sockopt::socket_acceptconn(&socket).unwrap_or(false);
    if listens && !listening {
        return Err(format!(
            "fd {fd} is a socket that does not listen; with --backlog, listen(2) is called on it"
        ));
    }
    let local = local_address(&socket)
        .ok_or_else(|| format!("fd {fd} is a socket of a family that is not served here"))?;
    Ok(Listener { socket, local, name, requested: None, file: None })
}

/// The fds that the environment tells of, with their names.
fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Passed>, String> {
    let count = variable("LISTEN_FDS").ok_or(
        "no fds were passed: LISTEN_FDS is not set; systemd.socket(5) and systemd-socket-activate(1) set it",
    )?;
    let count: i32 = match count.parse() {
        Ok(n @ 1..=1000) => n,
        _ => return Err(format!("LISTEN_FDS is {count:?}, and not a number of fds from 1 to 1000")),
    };
    let own = std::process::id().to_string();
    match variable("LISTEN_PID") {
        Some(pid) if pid == own => {}
        Some(pid) => {
            return Err(format!(
                "the fds of LISTEN_FDS were passed to process {}, and this is {own}",
                escape(pid.as_bytes(), Escape::Table)
            ));
        }
        None => return Err("LISTEN_FDS is set without LISTEN_PID".to_owned()),
    }
    let names = variable("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').filter(|n| !n.is_empty()).map(|n| n.as_bytes().to_vec());
    Ok((sys::FIRST_PASSED.0..).take(count as usize).map(|n| (FdNum(n), names.next())).collect())
}

#[cfg(test)]
mod tests {
    use super::{FdNum, Inherited, from_environment};

    #[test]
    fn numbers_and_systemd() {
        assert_eq!("3".parse(), Ok(Inherited::Number(FdNum(3))));
        assert_eq!("systemd".parse(), Ok(Inherited::Systemd));
        for text in ["", "-1", "+3", "x", "99999999999"] {
            assert!(text.parse::<Inherited>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_environment() {
        let own = std::process::id().to_string();
        let read = |fds: Option<&str>, pid: Option<&str>, names: Option<&str>| {
            let value = |v: Option<&str>| v.map(str::to_owned);
            from_environment(|name| match name {
                "LISTEN_FDS" => value(fds),
                "LISTEN_PID" => value(pid),
                _ => value(names),
            })
        };
        let fds = read(Some("2"), Some(&own), Some("web:admin")).unwrap();
        assert_eq!(fds, [(FdNum(3), Some(b"web".to_vec())), (FdNum(4), Some(b"admin".to_vec()))]);
        assert_eq!(read(Some("1"), Some(&own), None).unwrap(), [(FdNum(3), None)]);
        assert!(read(None, None, None).unwrap_err().contains("LISTEN_FDS is not set"));
        assert!(read(Some("1"), Some("1"), None).unwrap_err().contains("process 1"));
        assert!(read(Some("0"), Some(&own), None).is_err());
        assert!(read(Some("x"), Some(&own), None).is_err());
    }
}
