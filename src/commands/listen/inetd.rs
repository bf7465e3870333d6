//! `--inetd`: one connection, which is standard input and output.

use crate::error::{Error, Outcome};
use crate::listener::{Exchange, Progress, SCRATCH, Service};
use rustix::fd::AsFd as _;
use rustix::net::sockopt;
use std::io;

/// Serves it until its end.
pub(super) fn serve(service: &Service) -> Result<Outcome, Error> {
    let stdin = io::stdin();
    let socket = stdin.as_fd();
    if sockopt::socket_type(socket).is_err() {
        return Err(Error::Usage("--inetd: standard input is not a socket".to_owned()));
    }
    if service.never_ends() {
        loop {
            std::thread::park();
        }
    }
    // The service waits in the calls themselves, whatever whoever started us prefers.
    let refused = |e: io::Error| Error::Io("the connection".to_owned(), e);
    rustix::io::ioctl_fionbio(socket, false).map_err(|e| refused(e.into()))?;
    let mut scratch = vec![0; SCRATCH];
    let mut exchange = Exchange::new(service);
    while exchange.advance(socket, &mut scratch).map_err(refused)? != Progress::Done {}
    Ok(Outcome::Met)
}
