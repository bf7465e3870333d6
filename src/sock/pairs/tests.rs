//! Ends of connections, by made-up sockets.

use super::{OtherEnd, Pairs};
use crate::model::{Endpoint, Family, Inode, Socket};

fn inet(inode: u64, family: Family, state: &'static str, local: &str, remote: &str) -> Socket {
    let endpoint = |text: &str| Some(Endpoint(text.parse().unwrap()));
    let (local, remote) = (endpoint(local), endpoint(remote));
    Socket { state: Some(state), local, remote, ..Socket::new(Inode(inode), family) }
}

fn unix(inode: u64, state: &'static str, peer: Option<u64>) -> Socket {
    let cookie = Some(inode);
    Socket { state: Some(state), peer: peer.map(Inode), cookie, ..Socket::new(Inode(inode), Family::Unix) }
}

/// The inodes at the other end of the socket `inode`.
fn ends(sockets: &[Vec<Socket>], inode: u64) -> (Vec<u64>, OtherEnd<'_>) {
    let pairs = Pairs::new(sockets);
    let find = |list: &Vec<Socket>| list.iter().position(|s| s.inode == Inode(inode));
    let (place, nth) =
        sockets.iter().enumerate().find_map(|(place, list)| Some((place, find(list)?))).unwrap();
    let end = pairs.other_end(place, &sockets[place][nth]);
    (end.sockets.iter().map(|s| s.inode.0).collect(), end)
}

#[test]
fn tcp_by_the_reversed_addresses_in_one_namespace() {
    let of = |client, server| {
        vec![
            inet(client, Family::Tcp, "established", "127.0.0.1:5000", "127.0.0.1:80"),
            inet(server, Family::Tcp6, "established", "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:5000"),
        ]
    };
    let sockets = [of(1, 2), of(3, 4)];
    for (one, other) in [(1, 2), (2, 1), (3, 4), (4, 3)] {
        assert_eq!(ends(&sockets, one).0, [other]);
    }
    let apart = [vec![of(1, 2).remove(0)], vec![of(1, 2).remove(1)]];
    assert_eq!(ends(&apart, 1).0, [0; 0], "loopback does not lead to another namespace");
}

#[test]
fn tcp_across_namespaces_where_it_is_sure() {
    let one = |inode| vec![inet(inode, Family::Tcp, "established", "10.0.0.1:5000", "10.0.0.2:80")];
    let two = |inode| vec![inet(inode, Family::Tcp, "established", "10.0.0.2:80", "10.0.0.1:5000")];
    assert_eq!(ends(&[one(1), two(2)], 1).0, [2]);
    assert_eq!(ends(&[one(1), two(2), two(3)], 1).0, [0; 0]);
}

#[test]
fn a_connection_that_nobody_accepted_is_at_its_listener() {
    let sockets = [vec![
        inet(1, Family::Tcp, "established", "127.0.0.1:5000", "127.0.0.1:80"),
        inet(0, Family::Tcp, "established", "127.0.0.1:80", "127.0.0.1:5000"),
        inet(2, Family::Tcp6, "listen", "[::]:80", "[::]:0"),
        inet(3, Family::Tcp, "listen", "127.0.0.2:80", "0.0.0.0:0"),
    ]];
    for state in ["established", "close-wait", "syn-recv"] {
        let mut sockets = sockets.clone();
        sockets[0][1].state = Some(state);
        let (inodes, end) = ends(&sockets, 1);
        assert_eq!((inodes, end.waiting, end.closed), (vec![2], true, false), "{state}");
    }
}

/// The server waits for data (`TCP_DEFER_ACCEPT`), or the last acknowledgement was lost.
#[test]
fn a_handshake_that_is_not_over_is_at_its_listener() {
    let sockets = [vec![
        inet(1, Family::Tcp, "established", "127.0.0.1:5000", "127.0.0.1:80"),
        inet(0, Family::Tcp, "syn-recv", "127.0.0.1:80", "127.0.0.1:5000"),
        inet(2, Family::Tcp, "listen", "127.0.0.1:80", "0.0.0.0:0"),
    ]];
    let (inodes, end) = ends(&sockets, 1);
    assert_eq!((inodes, end.waiting, end.closed), (vec![2], true, false));
}

#[test]
fn what_cannot_be_elsewhere_is_closed_or_was_not_seen() {
    let of = |state, remote: &str| {
        let sockets = [vec![inet(1, Family::Tcp, state, "127.0.0.1:80", remote)]];
        let (inodes, end) = ends(&sockets, 1);
        (inodes.len(), end.closed, end.unseen)
    };
    assert_eq!(of("close-wait", "127.0.0.1:5000"), (0, true, false));
    assert_eq!(of("established", "[::ffff:127.0.0.1]:5000"), (0, false, true));
    assert_eq!(of("syn-sent", "127.0.0.1:5000"), (0, false, false));
    assert_eq!(of("close-wait", "10.0.0.1:5000"), (0, false, false));
}

#[test]
fn what_was_closed_belongs_to_nobody() {
    let sockets = [vec![
        inet(1, Family::Tcp, "close-wait", "127.0.0.1:80", "127.0.0.1:5000"),
        inet(0, Family::Tcp, "fin-wait-2", "127.0.0.1:5000", "127.0.0.1:80"),
    ]];
    let (inodes, end) = ends(&sockets, 1);
    assert_eq!((inodes, end.waiting, end.closed), (vec![], false, true));
}

#[test]
fn an_end_that_is_gone_altogether_was_closed() {
    let mut sockets = [vec![
        inet(1, Family::Tcp, "close-wait", "127.0.0.1:80", "127.0.0.1:5000"),
        inet(2, Family::Tcp, "listen", "127.0.0.1:80", "0.0.0.0:0"),
        inet(3, Family::Tcp, "established", "127.0.0.1:5001", "127.0.0.1:80"),
        inet(4, Family::Tcp, "established", "127.0.0.1:5002", "127.0.0.1:80"),
        inet(5, Family::Tcp, "close-wait", "10.0.0.1:5003", "10.0.0.2:80"),
    ]];
    let closed = |sockets: &[Vec<Socket>; 1], inode| ends(sockets, inode).1.closed;
    assert!(closed(&sockets, 1));
    // The client's port is used again, for another connection.
    sockets[0].push(inet(7, Family::Tcp, "established", "127.0.0.1:5000", "127.0.0.1:81"));
    sockets[0].push(inet(8, Family::Tcp, "established", "127.0.0.1:81", "127.0.0.1:5000"));
    assert!(closed(&sockets, 1));
    assert!(!closed(&sockets, 4), "it was not told so");
    assert!(!closed(&sockets, 5), "it may be on another machine");
    // A client that was redirected here.
    sockets[0].push(inet(6, Family::Tcp, "fin-wait-2", "127.0.0.1:5000", "127.0.0.1:8080"));
    assert!(!closed(&sockets, 1));
}

#[test]
fn who_gets_no_answer_is_in_no_queue() {
    let sockets = [vec![
        inet(1, Family::Tcp, "syn-sent", "127.0.0.1:5000", "127.0.0.1:80"),
        inet(2, Family::Tcp, "listen", "0.0.0.0:80", "0.0.0.0:0"),
        inet(3, Family::Tcp, "syn-sent", "127.0.0.1:5001", "127.0.0.1:81"),
    ]];
    let (inodes, end) = ends(&sockets, 1);
    assert_eq!((inodes, end.waiting, end.unanswered), (vec![2], false, true));
    let (inodes, end) = ends(&sockets, 3);
    assert_eq!((inodes, end.waiting, end.unanswered), (vec![], false, false));
}

#[test]
fn datagrams_go_to_who_is_bound_there() {
    let sockets = [vec![
        inet(1, Family::Udp, "established", "127.0.0.1:5000", "127.0.0.1:53"),
        inet(2, Family::Udp, "unconnected", "127.0.0.1:53", "0.0.0.0:0"),
        inet(3, Family::Udp, "unconnected", "0.0.0.0:53", "0.0.0.0:0"),
        inet(4, Family::Udp, "established", "10.0.0.1:5001", "8.8.8.8:53"),
        inet(5, Family::Udp, "established", "127.0.0.1:7000", "127.0.0.1:7001"),
        inet(6, Family::Udp, "established", "127.0.0.1:7001", "127.0.0.1:7000"),
    ]];
    let of = |inode| ends(&sockets, inode).0;
    assert_eq!((of(1), of(2), of(3), of(4)), (vec![2], vec![1], vec![], vec![]));
    assert_eq!((of(5), of(6)), (vec![6], vec![5]));
}

#[test]
fn unix_sockets_by_inode() {
    let listener = Socket { waiting: vec![Inode(8)], ..unix(7, "listen", None) };
    let sockets = [
        vec![unix(1, "connected", Some(2)), unix(2, "connected", Some(1)), unix(3, "connected", None)],
        vec![listener, unix(8, "connected", Some(0))],
        vec![unix(20, "unconnected", None), unix(21, "connected", Some(20)), unix(22, "connected", Some(20))],
    ];
    let of = |inode| ends(&sockets, inode).0;
    assert_eq!((of(1), of(2), of(3)), (vec![2], vec![1], vec![]));
    assert!(ends(&sockets, 3).1.closed);
    let (inodes, end) = ends(&sockets, 8);
    assert_eq!((inodes, end.waiting), (vec![7], true));
    let told_by_tables = [vec![Socket { cookie: None, ..unix(3, "connected", None) }]];
    assert!(!ends(&told_by_tables, 3).1.closed);
    assert_eq!((of(20), of(21)), (vec![21, 22], vec![20]));
}
