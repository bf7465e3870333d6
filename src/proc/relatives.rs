//! Parents, children and siblings of a process.

use super::root::ProcRoot;
use super::target::all_pids;
use crate::model::{Pid, decimal};

/// The processes next to one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relatives {
    /// The one that started it, or took it on.
    pub parent: Option<Pid>,
    /// Those that the parent has beside it.
    pub siblings: Vec<Pid>,
    /// Those that it started.
    pub children: Vec<Pid>,
}

/// The parents of all processes, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Parents(Vec<(Pid, Pid)>);

impl Parents {
    /// Reads them. Needs no privilege.
    pub fn read(root: &ProcRoot) -> Self {
        let parent = |pid: Pid| Some((pid, parent_of(root, pid)?));
        Self(all_pids(root).unwrap_or_default().into_iter().filter_map(parent).collect())
    }

    /// The relatives of a process.
    pub fn relatives(&self, pid: Pid) -> Relatives {
        let parent = self.0.iter().find(|(child, _)| *child == pid).map(|(_, parent)| *parent);
        let of =
            |wanted: Pid| self.0.iter().filter(move |(_, parent)| *parent == wanted).map(|(child, _)| *child);
        Relatives {
            parent,
            siblings: parent.into_iter().flat_map(of).filter(|sibling| *sibling != pid).collect(),
            children: of(pid).collect(),
        }
    }

    /// A process, and all that descend from it, in the order of their generations.
    pub fn family(&self, pid: Pid) -> Vec<Pid> {
        let mut all = vec![pid];
        let mut at = 0;
        while let Some(&of) = all.get(at) {
            all.extend(self.0.iter().filter(|(_, parent)| *parent == of).map(|(child, _)| *child));
            at += 1;
        }
        all
    }
}

/// The parent of a process, `proc_pid_stat(5)`; nothing where it is in another pid namespace.
fn parent_of(root: &ProcRoot, pid: Pid) -> Option<Pid> {
    let stat = std::fs::read(root.join(format!("{pid}/stat"))).ok()?;
    let end = stat.iter().rposition(|&b| b == b')')?;
    let parent = decimal(stat.get(end + 2..)?.split(|&b| b == b' ').nth(1)?)?;
    i32::try_from(parent).ok().filter(|&parent| parent > 0).map(Pid)
}

#[cfg(test)]
mod tests {
    use super::Parents;
    use crate::model::Pid;
    use crate::proc::ProcRoot;
    use std::process::{Command, Stdio};

    #[test]
    fn family() {
        let start = || Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut children = [start(), start()];
        let [one, other] = [0, 1].map(|n| Pid(children[n].id() as i32));
        let own = Pid(std::process::id() as i32);
        let root = ProcRoot::from_env();
        let found = Parents::read(&root).relatives(one);
        assert_eq!(found.parent, Some(own));
        assert!(found.siblings.contains(&other) && !found.siblings.contains(&one));
        let found = Parents::read(&root).relatives(own);
        assert!(found.children.contains(&one) && found.children.contains(&other));
        let family = Parents::read(&root).family(own);
        assert!(family[0] == own && family.contains(&one) && family.contains(&other));
        for child in &mut children {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }
}
