//! `tcp(7)`.

use super::{Kind, inet, tcp_info};
use crate::model::Field;

const FIELDS: &[Field] = inet::fields!(
    "tcp",
    "established, listen, close-wait, syn-sent, ...; absent where no table lists the socket",
    "bytes not read yet; for a listener, connections not accepted yet",
    "bytes not sent or not acknowledged yet, a SYN or FIN being one",
    Field::new("tcp.backlog", Type::Integer, "for a listener, its backlog: it admits one connection more")
);

pub(super) static TCP: Kind = Kind {
    details: &tcp_info::FIELDS,
    ..inet::kind!("tcp", "tcp", &["socket", "inet"], Tcp, "a TCP socket over IPv4", FIELDS)
};
pub(super) static TCP6: Kind = Kind {
    details: &tcp_info::FIELDS,
    ..inet::kind!("tcp6", "tcp", &["tcp", "socket", "inet"], Tcp6, "a TCP socket over IPv6", FIELDS)
};

#[cfg(test)]
mod tests {
    use crate::kind::testing::{Fixture, name, value};
    use crate::model::{AcceptQueue, Endpoint, Family, Inode, Socket, Value};

    fn socket(local: &str, remote: &str, state: &'static str, recv: u64, send: u64) -> Socket {
        Socket {
            local: Some(Endpoint(local.parse().unwrap())),
            remote: Some(Endpoint(remote.parse().unwrap())),
            state: Some(state),
            recv_queue: Some(recv),
            send_queue: Some(send),
            ..Socket::new(Inode(12), Family::Tcp6)
        }
    }

    fn shown(socket: &Socket) -> String {
        let fd = Fixture { link: b"socket:[12]", socket: Some(socket), ..Fixture::default() }.decode();
        assert_eq!(fd.kind, "tcp6");
        assert_eq!(fd.object, "tcp");
        assert_eq!(value(&fd, "state"), &Value::Word(socket.state.unwrap()));
        name(&fd).to_owned()
    }

    #[test]
    fn names() {
        let queue = |waiting, max| Some(AcceptQueue { waiting, max, drops: None });
        let listener = |queue| Socket { queue, ..socket("[::]:80", "[::]:0", "listen", 3, 0) };
        assert_eq!(shown(&listener(queue(3, None))), "[::]:80 listen, queue 3");
        assert_eq!(shown(&listener(queue(3, Some(511)))), "[::]:80 listen, queue 3 of 512");
        assert_eq!(shown(&listener(queue(512, Some(511)))), "[::]:80 listen, queue 512 of 512 (full)");
        let left = |unread| shown(&socket("[::1]:80", "[::1]:5000", "close-wait", unread, 0));
        assert_eq!(left(0), "[::1]:80 → [::1]:5000 close-wait");
        assert_eq!(left(1), "[::1]:80 → [::1]:5000 close-wait, end not read");
        assert_eq!(left(6), "[::1]:80 → [::1]:5000 close-wait, 5 unread");
        assert_eq!(
            shown(&socket("[::1]:80", "[::1]:5000", "established", 12, 7)),
            "[::1]:80 → [::1]:5000, 12 unread, 7 unsent"
        );
    }

    #[test]
    fn a_socket_that_no_table_lists_says_so() {
        let socket = Socket::new(Inode(12), Family::Tcp);
        let fd = Fixture { link: b"socket:[12]", socket: Some(&socket), ..Fixture::default() }.decode();
        assert_eq!(
            (fd.kind.as_ref(), name(&fd)),
            ("tcp", "not listed: unbound, closed, new, or of another namespace")
        );
    }
}
