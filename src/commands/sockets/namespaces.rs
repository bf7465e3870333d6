//! `--netns`: which network namespaces are meant.

use super::pattern::listed;
use crate::context::Context;
use crate::error::Error;
use crate::model::Pid;
use crate::proc::{Place, System, Task, networks, no_process, task};

/// All namespaces, each with whether it is meant.
pub(super) fn places(
    names: &[String],
    context: &Context,
    system: &System,
) -> Result<Vec<(Place, bool)>, Error> {
    let all = networks(system).map_err(|e| Error::Io(context.root.path().display().to_string(), e))?;
    if names.is_empty() {
        return Ok(all.into_iter().map(|place| (place, true)).collect());
    }
    let mut missing = false;
    let mut wanted = vec![false; all.len()];
    for word in names {
        let mut found = false;
        for (place, wanted) in all.iter().zip(&mut wanted) {
            if is_called(place, word) {
                (*wanted, found) = (true, true);
            }
        }
        let id = word.parse().ok().filter(|_| !found);
        if let Some(Task::Thread { tid, pid }) = id.and_then(|id| task(&context.root, Pid(id))) {
            context.complain(&format!("{word}: {}", no_process(tid, pid)));
            missing = true;
        } else if !found {
            let known = all.iter().filter_map(|place| place.network.name.as_ref());
            let known: Vec<String> = known.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
            let hint = match known.len() {
                0 => "none has a name".to_owned(),
                _ => format!("those with a name are {}", listed(&known)),
            };
            context.complain(&format!(
                "{word}: there is no such network namespace; it takes a name, an inode, a pid or 'own', and {hint}"
            ));
            missing = true;
        }
    }
    if missing {
        return Err(Error::Target);
    }
    Ok(all.into_iter().zip(wanted).collect())
}

/// Whether a namespace is called so: by its name, its inode, a process in it, or `own`.
fn is_called(place: &Place, word: &str) -> bool {
    let network = &place.network;
    if word == "own" {
        return network.own;
    }
    let name = || network.name.as_deref() == Some(word.as_bytes());
    match word.parse::<u64>() {
        // Inodes of namespaces begin far above the highest pid.
        Ok(number) => {
            network.id == Some(number)
                || place.pids.iter().any(|pid| u64::try_from(pid.0) == Ok(number))
                || name()
        }
        Err(_) => name(),
    }
}
