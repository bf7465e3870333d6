//! `fdscope list --shared`: which fds are one open file description.

mod search;

use super::counting;
use super::listing::{Job, Mode, Report};
use crate::context::Context;
use crate::error::Error;
use crate::model::{Pid, quantity};
use crate::proc::Slice;
use crate::render::{Batch, Format, Writer};
use crate::sys;
use search::Search;

/// Puts the columns that sharing is about beside those of a format.
pub(super) fn add_columns(names: &mut Vec<&'static str>, format: Format) {
    names.insert(0, "shared");
    let mut behind = |places: &[&str], name: &'static str| {
        if !names.contains(&name) {
            let place = names.iter().rposition(|n| places.contains(n));
            names.insert(place.map_or(names.len(), |at| at + 1), name);
        }
    };
    behind(&["mode", "flags"], "cloexec");
    if format == Format::Table {
        behind(&["kind"], "pos");
    }
}

/// Lists what is shared. Gives how many rows there were, and whether a target could not be looked
/// at as it should be.
pub(super) fn run(
    context: &mut Context,
    job: &Job<'_>,
    slices: &[Slice],
    named: bool,
    missing: u64,
) -> Result<(u64, bool), Error> {
    can_compare(context)?;
    let mut search = Search::new(job, slices, named);
    let rows = search.run(context, slices)?;
    let mut report = Report::default();
    report.tally = search.tally();
    report.tally.vanished += missing;
    rows.iter().for_each(|row| report.add_row(row));
    match job.mode {
        Mode::Rows => {
            let mut batch = Batch::default();
            rows.iter().for_each(|row| job.renderer.push(&mut batch, row));
            let mut writer = Writer::new(job.renderer, &mut context.out);
            writer.write(&batch).and_then(|()| writer.finish(report.tally))
        }
        Mode::Pids => counting::pids(context, &report),
        Mode::Count => counting::kinds(context, &report),
    }
    .map_err(Error::Output)?;
    Ok((report.rows, tell(context, job, &search, named)))
}

/// Whether the kernel compares anything for us at all.
fn can_compare(context: &Context) -> Result<(), Error> {
    if let Some(why) = context.root.strangeness() {
        return Err(Error::Usage(format!(
            "--shared compares fds by kcmp(2), which takes our own pids: {why}"
        )));
    }
    let own = Pid(std::process::id() as i32);
    let Err(e) = sys::same_fd_table(own, own) else { return Ok(()) };
    Err(Error::Refused(match e.raw_os_error() {
        Some(libc::ENOSYS) => "--shared compares fds by kcmp(2), which this kernel does not have".to_owned(),
        _ => format!("--shared compares fds by kcmp(2), which is refused here, as in some containers: {e}"),
    }))
}

/// Tells what is not known; whether that is about a target.
fn tell(context: &Context, job: &Job<'_>, search: &Search<'_>, named: bool) -> bool {
    let unread = named && search.targets.tell(context, job.system, true);
    if !unread {
        search.targets.tell_denied_fds(context);
    }
    let short = search.others.tell(context, job.system, false);
    context.tell_hidden(search.tally());
    if named && (search.others.tally.denied > 0 || search.tally().hidden) {
        context.note("what could not be read may share with them, too");
    }
    let incomparable = named && search.is_target_denied();
    if !search.denied.is_empty() {
        let fds = quantity(search.denied.len(), "fd", "fds");
        let text = format!("{fds} could not be compared: that takes the right to trace their processes");
        if incomparable { context.complain(&text) } else { context.note(&text) }
    }
    unread || short || incomparable
}
