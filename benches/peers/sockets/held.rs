//! All sockets of a load, and whether a program shows them.

use super::row::{Owners, Row};
use super::socket::{Ends, Socket};
use crate::Result;
use crate::holder::Holder;
use std::collections::HashMap;

/// The sockets that holders have. They end when it is dropped.
pub(super) struct Held {
    pub(super) sockets: Vec<Socket>,
    by_ends: HashMap<Ends, usize>,
    by_inode: HashMap<u64, usize>,
    by_owner: HashMap<(u32, u32), usize>,
    pub(super) holders: Vec<Holder>,
}

impl Held {
    /// Hears from holders that were started what they have.
    pub(super) fn by(mut holders: Vec<Holder>) -> Result<Self> {
        let mut sockets = Vec::new();
        for holder in &mut holders {
            loop {
                let line = holder.line()?;
                if line == "ready" {
                    break;
                }
                sockets.push(Socket::parse(holder.pid(), &line)?);
            }
        }
        let all = || sockets.iter().enumerate();
        let held = Self {
            by_ends: all().filter_map(|(at, socket)| Some((socket.ends?, at))).collect(),
            by_inode: all().map(|(at, socket)| (socket.inode, at)).collect(),
            by_owner: all().map(|(at, socket)| ((socket.pid, socket.fd), at)).collect(),
            sockets,
            holders,
        };
        match held.by_inode.len() == held.sockets.len() && held.by_owner.len() == held.sockets.len() {
            true => Ok(held),
            false => Err("the load has a socket twice".into()),
        }
    }

    /// Whether rows show the `wanted` sockets: all of them, no other of the load, each once, with
    /// the right owner. What others hold may be there too.
    pub(super) fn check(
        &self,
        rows: impl Iterator<Item = Row>,
        wanted: impl Fn(&Socket) -> bool,
    ) -> Result<()> {
        let mut times = vec![0; self.sockets.len()];
        for row in rows {
            if let Some(at) = self.find(&row)? {
                times[at] += 1;
            }
        }
        let wrong = || self.sockets.iter().zip(&times).filter(|(s, times)| usize::from(wanted(s)) != **times);
        match wrong().next() {
            Some((socket, times)) => {
                Err(format!("{} sockets are not there once: {socket:?} {times} times", wrong().count())
                    .into())
            }
            None => Ok(()),
        }
    }

    /// Which socket a row is about, if it is one of these.
    fn find(&self, row: &Row) -> Result<Option<usize>> {
        let by_ends = row.ends.and_then(|ends| self.by_ends.get(&ends));
        let by_inode = row.inode.and_then(|inode| self.by_inode.get(&inode));
        let named = by_ends.or(by_inode).copied();
        let (at, is_right) = match &row.owners {
            Owners::Exactly(owners) => {
                let at = named.or_else(|| owners.iter().find_map(|owner| self.by_owner.get(owner)).copied());
                (at, at.is_some_and(|at| self.sockets[at].is_all_of(row, owners)))
            }
            Owners::Among(numbers) => {
                let at = named.or_else(|| self.find_among(numbers));
                (at, at.is_some_and(|at| self.sockets[at].is_owned_among(numbers)))
            }
        };
        match at {
            Some(at) if !is_right => Err(format!("{:?} is shown as {row:?}", self.sockets[at]).into()),
            at => Ok(at),
        }
    }

    /// The socket of a line with these numbers: its inode and its owner may be among them, and so
    /// may those of its other end, further behind.
    fn find_among(&self, numbers: &[u64]) -> Option<usize> {
        let inodes = numbers.iter().filter_map(|number| self.by_inode.get(number));
        let mut inodes = inodes.filter(|at| self.sockets[**at].is_owned_among(numbers));
        inodes.next().copied().or_else(|| {
            let number = |number: u64| u32::try_from(number).ok();
            let pairs = numbers.iter().enumerate().flat_map(|(i, &pid)| {
                numbers[i + 1..].iter().filter_map(move |&fd| Some((number(pid)?, number(fd)?)))
            });
            pairs.filter_map(|pair| self.by_owner.get(&pair)).next().copied()
        })
    }
}

impl Socket {
    /// Whether all that a row shows is true of it.
    fn is_all_of(&self, row: &Row, owners: &[(u32, u32)]) -> bool {
        let is_named = row.inode.is_some() || row.ends.is_some();
        let is_inode = row.inode.is_none_or(|inode| inode == self.inode);
        let are_ends = row.ends.is_none_or(|ends| self.ends == Some(ends));
        is_named && is_inode && are_ends && owners == [(self.pid, self.fd)]
    }

    fn is_owned_among(&self, numbers: &[u64]) -> bool {
        numbers.contains(&self.pid.into()) && numbers.contains(&self.fd.into())
    }
}
