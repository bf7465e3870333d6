//! Which sockets are shown: FILTER, and the options that narrow it.

use super::{connection, holder, inode, listener, records, sockets};
use crate::support::{Helper, sorted};
use rustix::fd::AsFd;
use serde_json::Value;
use std::net::{TcpListener, TcpStream, UdpSocket};

/// What the filters are tried on.
struct Scene {
    listener: TcpListener,
    client: TcpStream,
    server: TcpStream,
    receiver: UdpSocket,
    sender: UdpSocket,
}

impl Scene {
    fn new() -> Self {
        let listener = listener("127.0.0.1:0", 5);
        let (client, server) = connection(&listener);
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.connect(receiver.local_addr().unwrap()).unwrap();
        Self { listener, client, server, receiver, sender }
    }

    /// Which of them arguments select.
    #[track_caller]
    fn selected(&self, arguments: &str) -> Vec<&'static str> {
        let run = sockets(format!("{arguments} --json")).run();
        let status = if run.records().is_empty() { 1 } else { 0 };
        assert_eq!((run.status(), run.stderr()), (status, String::new()), "{arguments}");
        self.names(&run.records())
    }

    fn names(&self, records: &[Value]) -> Vec<&'static str> {
        let all: [(&str, u64); 5] = [
            ("listener", inode(&self.listener)),
            ("client", inode(&self.client)),
            ("server", inode(&self.server)),
            ("receiver", inode(&self.receiver)),
            ("sender", inode(&self.sender)),
        ];
        all.iter()
            .filter(|(_, inode)| records.iter().any(|r| r["inode"] == *inode))
            .map(|(name, _)| *name)
            .collect()
    }

    fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    fn client_port(&self) -> u16 {
        self.client.local_addr().unwrap().port()
    }

    fn udp_port(&self) -> u16 {
        self.receiver.local_addr().unwrap().port()
    }
}

#[test]
fn a_filter_is_either_end() {
    let scene = Scene::new();
    let (port, client) = (scene.port(), scene.client_port());
    assert_eq!(scene.selected(&format!(":{port}")), ["listener", "client", "server"]);
    assert_eq!(scene.selected(&format!(":{client}")), ["client", "server"]);
    assert_eq!(scene.selected(&format!("127.0.0.1:{client}")), ["client", "server"]);
    assert_eq!(scene.selected(&format!("127.0.0.0/8:{port}")), ["listener", "client", "server"]);
    assert_eq!(scene.selected(&format!("127.0.0.2:{port}")), [""; 0]);
    assert_eq!(scene.selected(&format!("[::1]:{port}")), [""; 0]);
    let (low, high) = (port.min(client), port.max(client));
    assert_eq!(scene.selected(&format!(":{low}-{high} --family tcp")), ["listener", "client", "server"]);
    assert_eq!(scene.selected(&format!("*:{client}")), ["client", "server"]);
    // Several are alternatives.
    let udp = scene.udp_port();
    assert_eq!(scene.selected(&format!(":{client} :{udp}")), ["client", "server", "receiver", "sender"]);
    assert_eq!(scene.selected("127.0.0.1").len(), 5);
    assert_eq!(scene.selected("10.0.0.0/8"), [""; 0]);
}

#[test]
fn other_options_narrow_it() {
    let scene = Scene::new();
    let (port, client, udp) = (scene.port(), scene.client_port(), scene.udp_port());
    assert_eq!(scene.selected(&format!("--port {port}")), ["listener", "server"], "the serving end");
    assert_eq!(scene.selected(&format!("--port {client}")), ["client"]);
    assert_eq!(scene.selected(&format!("--port {client},{udp}")), ["client", "receiver"]);
    assert_eq!(scene.selected(&format!("--port {port} --listening")), ["listener"]);
    assert_eq!(scene.selected(&format!("--port {port} --state established")), ["server"]);
    assert_eq!(scene.selected(&format!("--remote :{port}")), ["client"]);
    assert_eq!(scene.selected(&format!("--remote 127.0.0.1:{client}")), ["server"]);
    assert_eq!(scene.selected(&format!("--remote :{port} --remote :{udp}")), ["client", "sender"]);
    assert_eq!(scene.selected(&format!(":{port} --remote :{client}")), ["server"]);
    assert_eq!(scene.selected(&format!(":{port} --family udp")), [""; 0]);
    assert_eq!(scene.selected(&format!(":{udp} --family inet")), ["receiver", "sender"]);
    assert_eq!(scene.selected(&format!(":{udp} --state established,close-wait")), ["sender"]);
    assert_eq!(scene.selected(&format!("--where local_port=={client}")), ["client"]);
    assert_eq!(scene.selected(&format!(":{port} --where size(owners)>0&&state=='listen'")), ["listener"]);
    // A child of another test may have them too, until it runs its program.
    let text = format!("local_port == {port} && size(peers) > 0");
    let found = sockets("--json --where").arg(text).run();
    assert_eq!(scene.names(&found.records()), ["server"]);
    let run = sockets("--json --where").arg(format!("tcp.retransmits == 0 && remote_port == {port}")).run();
    assert_eq!(scene.names(&run.records()), ["client"]);
}

#[test]
fn by_process() {
    let scene = Scene::new();
    let pid = std::process::id();
    let all = scene.selected(&format!("--process {pid}"));
    assert_eq!(all, ["listener", "client", "server", "receiver", "sender"]);
    let fd = |socket: &dyn AsFd| std::os::fd::AsRawFd::as_raw_fd(&socket.as_fd());
    let (listener, sender) = (fd(&scene.listener), fd(&scene.sender));
    assert_eq!(scene.selected(&format!("--process {pid}:{listener},{sender}")), ["listener", "sender"]);
    assert_eq!(
        scene.selected(&format!("--process {pid}:{listener} --process {pid}:{sender}")),
        ["listener", "sender"]
    );
    assert_eq!(scene.selected(&format!("--process {pid}:{listener} --family udp")), [""; 0]);
    // By its name, which others may have too.
    let command = holder(&scene.listener)["command"].as_str().unwrap().to_owned();
    let found = sockets("--json --process").arg(&command).run();
    assert_eq!(scene.names(&found.records()).len(), 5);
    let of_that_name = |owner: &Value| owner["command"] == command.as_str();
    let is = |r: &Value| r["owners"].as_array().is_some_and(|owners| owners.iter().any(of_that_name));
    assert!(found.records().iter().all(is));
    let helper = Helper::start("targets::nothing");
    assert_eq!(sockets(format!("--process {}", helper.pid())).run().status(), 1);
}

#[test]
fn processes_that_are_not_there() {
    let scene = Scene::new();
    let pid = std::process::id();
    sockets("--process 2147483647").run().check(3, "no process has pid 2147483647").prints("");
    sockets("--process no-such-command").run().check(3, "no process has the command name 'no-such-command'");
    // What could be found is shown all the same.
    let run = sockets(format!("--json --process {pid} --process 2147483647")).run();
    run.check(3, "no process has pid 2147483647");
    assert_eq!(scene.names(&run.records()).len(), 5);
}

/// Listeners first, then by address: the same order each time.
#[test]
fn order() {
    let scene = Scene::new();
    let records = records(format!("--process {} --family tcp", std::process::id()));
    let listens: Vec<bool> = records.iter().map(|r| r["state"] == "listen").collect();
    assert!(listens.is_sorted_by(|a, b| a >= b), "{listens:?}");
    let ports: Vec<u64> = records
        .iter()
        .filter(|r| r["state"] != "listen")
        .map(|r| r["local_port"].as_u64().unwrap())
        .collect();
    assert_eq!(ports, sorted(ports.clone()));
    drop(scene);
}
