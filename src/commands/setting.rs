//! `limits --set`: `nofile=SOFT[:HARD]`.

use crate::model::{Cell, Column, Process, Record, Resource, Unit, column_table, nearest, parse_bytes};
use crate::proc::{LimitValue, ProcRoot, Rlimit, limit_of, set_limit};
use std::sync::Arc;

/// What to change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    resource: Resource,
    soft: LimitValue,
    /// `None` leaves the hard limit as it is.
    hard: Option<LimitValue>,
}

/// Reads one `--set`.
pub(super) fn parse(text: &str) -> Result<Change, String> {
    let form = "a setting is LIMIT=SOFT or LIMIT=SOFT:HARD, such as nofile=4096:8192";
    let (name, values) = text.split_once('=').ok_or(form)?;
    let resource = Resource::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = Resource::ALL.iter().map(|r| r.name).collect();
        match nearest(name, names.iter().copied()) {
            Some(near) => format!("there is no limit '{name}'; did you mean '{near}'?"),
            None => format!("there is no limit '{name}'; limits are {}", names.join(", ")),
        }
    })?;
    let (soft, hard) = match values.split_once(':') {
        Some((soft, hard)) => (value(soft, resource.unit)?, Some(value(hard, resource.unit)?)),
        None => (value(values, resource.unit)?, None),
    };
    if let (Some(hard), soft) = (hard, soft)
        && exceeds(soft, hard)
    {
        return Err(format!("the soft limit of '{text}' is above its hard limit"));
    }
    Ok(Change { resource, soft, hard })
}

/// A number, with K, M, G or T behind for limits in bytes, or `unlimited`.
fn value(text: &str, unit: Unit) -> Result<LimitValue, String> {
    if matches!(text, "unlimited" | "infinity") {
        return Ok(None);
    }
    let bad = || format!("'{text}' is neither a whole number nor 'unlimited'");
    let number = if unit == Unit::Bytes { parse_bytes(text) } else { text.parse().ok() };
    let scaled = number.filter(|&n| n != u64::MAX).ok_or_else(bad)?;
    Ok(Some(scaled))
}

fn exceeds(soft: LimitValue, hard: LimitValue) -> bool {
    match (soft, hard) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(soft), Some(hard)) => soft > hard,
    }
}

/// What was changed.
pub(super) struct Changed {
    process: Arc<Process>,
    resource: Resource,
    old: Rlimit,
    new: Rlimit,
    shown: [String; 4],
}

impl Record for Changed {}

fn bound(value: LimitValue) -> Option<Cell<'static>> {
    Some(value.map_or(Cell::Null, Cell::Uint))
}

/// The fields, as JSON and TSV have them.
pub(super) const COLUMNS: &[Column<Changed>] = column_table! {
    "pid", Integer, "process id", |c| Some(Cell::Int(c.process.pid.0.into()));
    "command", String, "command name", |c| Some(Cell::Text(&c.process.command));
    "limit", String, "name of the limit", |c| Some(Cell::Text(c.resource.name.as_bytes()));
    "old_soft", Integer, "soft limit before", |c| bound(c.old.soft);
    "old_hard", Integer, "hard limit before", |c| bound(c.old.hard);
    "soft", Integer, "soft limit now", |c| bound(c.new.soft);
    "hard", Integer, "hard limit now", |c| bound(c.new.hard);
};

/// The same fields as people read them.
pub(super) const SHOWN: &[Column<Changed>] = column_table! {
    "old_soft", Integer, "", |c| Some(Cell::Text(c.shown[0].as_bytes()));
    "old_hard", Integer, "", |c| Some(Cell::Text(c.shown[1].as_bytes()));
    "soft", Integer, "", |c| Some(Cell::Text(c.shown[2].as_bytes()));
    "hard", Integer, "", |c| Some(Cell::Text(c.shown[3].as_bytes()));
};

/// Sets it; gives what was changed, or what went wrong.
pub(super) fn apply(root: &ProcRoot, process: &Arc<Process>, change: Change) -> Result<Changed, String> {
    let (pid, name) = (process.pid, change.resource.name);
    if let Some(why) = root.strangeness() {
        return Err(format!("process {pid}: its limits cannot be set: {why}"));
    }
    let old = limit_of(root, pid, change.resource).map_err(|_| format!("process {pid} ended"))?;
    let new = Rlimit { soft: change.soft, hard: change.hard.unwrap_or(old.hard) };
    if exceeds(new.soft, new.hard) {
        return Err(format!(
            "process {pid}: soft {name} limit {} is above the hard limit {}; give both, as {name}=SOFT:HARD",
            show(new.soft),
            show(new.hard)
        ));
    }
    match set_limit(pid, change.resource, new) {
        Ok(old) => Ok(Changed {
            process: Arc::clone(process),
            resource: change.resource,
            old,
            new,
            shown: [old.soft, old.hard, new.soft, new.hard].map(|l| change.resource.unit.show(l)),
        }),
        Err(e) => {
            let reason = match e.raw_os_error() {
                Some(libc::EPERM) if exceeds(new.hard, old.hard) => {
                    "raising a hard limit takes CAP_SYS_RESOURCE, and nofile never exceeds fs.nr_open"
                        .to_owned()
                }
                Some(libc::EPERM) => "another user's process takes CAP_SYS_RESOURCE".to_owned(),
                Some(libc::ESRCH) => "the process ended".to_owned(),
                _ => e.to_string(),
            };
            let (soft, hard) = (show(old.soft), show(old.hard));
            Err(format!("process {pid}: {name} stays {soft}:{hard}: {reason}"))
        }
    }
}

fn show(value: LimitValue) -> String {
    value.map_or_else(|| "unlimited".to_owned(), |n| n.to_string())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn forms() {
        let change = parse("nofile=10:20").unwrap();
        assert_eq!((change.resource.name, change.soft, change.hard), ("nofile", Some(10), Some(Some(20))));
        assert_eq!(parse("core=unlimited").unwrap().soft, None);
        assert_eq!(parse("memlock=8M").unwrap().soft, Some(8 << 20));
    }

    #[test]
    fn refused() {
        for (text, part) in [
            ("nofile", "LIMIT=SOFT"),
            ("nofiles=1", "did you mean 'nofile'?"),
            ("nofile=x", "neither a whole number"),
            ("nofile=8M", "neither a whole number"),
            ("nofile=-1", "neither a whole number"),
            ("nofile=20:10", "above its hard limit"),
            ("as=99999999999999T", "neither a whole number"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
