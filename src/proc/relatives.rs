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

impl Relatives {
    /// Finds them, by the parents of all processes. Needs no privilege.
    pub fn of(root: &ProcRoot, pid: Pid) -> Self {
        let parent = parent_of(root, pid);
        let mut found = Self { parent, ..Self::default() };
        for other in all_pids(root).unwrap_or_default() {
            match parent_of(root, other) {
                _ if other == pid => {}
                Some(of) if of == pid => found.children.push(other),
                of if of.is_some() && of == parent => found.siblings.push(other),
                _ => {}
            }
        }
        found
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
    use super::Relatives;
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
        let found = Relatives::of(&root, one);
        assert_eq!(found.parent, Some(own));
        assert!(found.siblings.contains(&other) && !found.siblings.contains(&one));
        let found = Relatives::of(&root, own);
        assert!(found.children.contains(&one) && found.children.contains(&other));
        for child in &mut children {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }
}
