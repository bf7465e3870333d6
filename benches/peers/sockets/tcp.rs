//! Holders of TCP connections: servers, and a client of each.

use super::socket::{Tell, hold};
use crate::holder::Holder;
use crate::{Result, network};
use rustix::net::sockopt::{Timeout, set_socket_linger, set_socket_timeout};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Starts `servers` servers with `listeners` listeners each, each server on a loopback address of
/// its own, and a client of each server, with `connections` connections between the two.
pub(super) fn start(servers: usize, listeners: usize, connections: usize) -> Result<Vec<Holder>> {
    network::raise_loopback()?;
    let [listeners, connections] = [listeners, connections].map(|n| n.to_string());
    let mut holders = Vec::new();
    for server in 1..=servers {
        let address = format!("127.0.0.{server}:0");
        let mut server = Holder::start(&["--tcp-server", &address, &listeners, &connections])?;
        let addresses = server.line()?;
        let part = ["--tcp-client", &connections].into_iter().chain(addresses.split(' '));
        holders.push(Holder::start(&part.collect::<Vec<_>>())?);
        holders.push(server);
    }
    Ok(holders)
}

/// What a server does: it says where it listens, accepts all, and says what it has.
pub(crate) fn serve(address: &str, listeners: &str, connections: &str) -> Result<()> {
    let (listeners, connections): (usize, usize) = (listeners.parse()?, connections.parse()?);
    let listeners: Vec<TcpListener> = (0..listeners).map(|_| listen(address)).collect::<Result<_>>()?;
    let addresses: Vec<String> =
        listeners.iter().map(|l| Ok(l.local_addr()?.to_string())).collect::<Result<_>>()?;
    println!("{}", addresses.join(" "));
    // In the order in which the client connects.
    let accepted = listeners.iter().cycle().take(connections).map(|l| end_at_once(l.accept()?.0));
    let accepted: Vec<TcpStream> = accepted.collect::<Result<_>>()?;
    hold(listeners.iter().map(|l| l as &dyn Tell).chain(accepted.iter().map(|s| s as &dyn Tell)))
}

/// What a client does: it connects to all in turn, and says what it has.
pub(crate) fn connect(connections: &str, addresses: &[&str]) -> Result<()> {
    let addresses: Vec<SocketAddr> =
        addresses.iter().map(|a| a.parse()).collect::<std::result::Result<_, _>>()?;
    let connected = addresses.iter().cycle().take(connections.parse()?);
    let connected: Vec<TcpStream> =
        connected.map(|address| end_at_once(TcpStream::connect(address)?)).collect::<Result<_>>()?;
    hold(connected.iter().map(|s| s as &dyn Tell))
}

/// With room for all who come before they are accepted, for who finds none tries again after a second;
/// and not for ever, should the client fail.
fn listen(address: &str) -> Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    rustix::net::listen(&listener, 4096)?;
    set_socket_timeout(&listener, Timeout::Recv, Some(Duration::from_secs(10)))?;
    Ok(listener)
}

/// Has the end of a connection leave nothing behind: no time-wait for the next load to find.
fn end_at_once(stream: TcpStream) -> Result<TcpStream> {
    set_socket_linger(&stream, Some(Duration::ZERO))?;
    Ok(stream)
}
