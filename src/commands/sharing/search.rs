//! The search for fds that share a description.
//!
//! It goes in three steps, so that no rows are held but those that may be shown. Processes are looked
//! through for what tells descriptions apart at no price; what is alike, the kernel compares; and
//! the fds that share something are read as in any listing, and compared once more, so that what was
//! read is what was compared.

use crate::commands::listing::{Job, Report};
use crate::commands::processes;
use crate::context::Context;
use crate::error::Error;
use crate::model::{Assoc, Fd, FdNum, FdRanges, Pid, Tally};
use crate::proc::{Candidate, Filter, Kernel, Member, Plan, Shared, Slice, run_all};
use crate::query::Where;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A search, and what came of it beside rows.
pub(super) struct Search<'s> {
    job: &'s Job<'s>,
    /// The processes that the user named, with their fds; nothing where all are meant.
    chosen: Option<HashMap<Pid, Option<FdRanges>>>,
    /// What came of looking through the processes that the user named.
    pub(super) targets: Report,
    /// What came of looking through all others.
    pub(super) others: Report,
    /// What came of reading what is shared.
    reading: Report,
    /// Fds that may not be compared, though others are like them.
    pub(super) denied: Vec<Member>,
    vanished: u64,
}

/// The fds of one description.
type Group = Vec<Member>;

/// An fd that was read.
struct Read {
    row: Fd,
    /// Whether it is of those that the user asked for.
    selected: bool,
}

impl Read {
    /// The number of its group.
    fn number(&self) -> u32 {
        self.row.shared.unwrap_or_default()
    }
}

impl<'s> Search<'s> {
    /// A search in the slices of the processes that the user named, or of all.
    pub(super) fn new(job: &'s Job<'s>, slices: &[Slice], named: bool) -> Self {
        let chosen = slices.iter().map(|slice| (slice.pid, slice.fds.clone())).collect();
        Self {
            job,
            chosen: named.then_some(chosen),
            targets: Report::default(),
            others: Report::default(),
            reading: Report::default(),
            denied: Vec::new(),
            vanished: 0,
        }
    }

    /// The rows, those of one description together.
    pub(super) fn run(&mut self, context: &Context, slices: &[Slice]) -> Result<Vec<Fd>, Error> {
        let shared = Shared::among(self.candidates(context, slices)?, &Kernel);
        self.vanished += shared.vanished;
        self.denied.extend(shared.denied);
        let groups = self.groups(shared.groups);
        let read = self.read_selected(&groups);
        Ok(self.still_shared(read))
    }

    /// What is missing from the answer.
    pub(super) fn tally(&self) -> Tally {
        let mut tally = self.targets.tally;
        tally.add(self.others.tally);
        // Files that do not answer did not do so the first time, and what vanished is counted in whole.
        tally.add(Tally { vanished: 0, timed_out: 0, ..self.reading.tally });
        tally.add(Tally {
            denied: self.denied.len() as u64,
            vanished: self.vanished,
            hidden: self.job.system.root().hides_processes(),
            ..Tally::default()
        });
        tally
    }

    /// Whether fds that the user named are among those that may not be compared.
    pub(super) fn is_target_denied(&self) -> bool {
        self.denied.iter().any(|&member| self.is_chosen(member))
    }

    fn is_chosen(&self, member: Member) -> bool {
        let Some(chosen) = &self.chosen else { return true };
        chosen.get(&member.pid).is_some_and(|fds| fds.as_ref().is_none_or(|f| f.contains(member.fd)))
    }

    /// The fds that may share something; with targets, those that may share with them.
    fn candidates(&mut self, context: &Context, slices: &[Slice]) -> Result<Vec<Candidate>, Error> {
        let Some(chosen) = &self.chosen else {
            return Ok(glance(self.job, slices, &mut self.others, |_| true));
        };
        let own = Pid(std::process::id() as i32);
        let others = processes::all(context)?.into_iter().filter(|p| *p != own && !chosen.contains_key(p));
        let others: Vec<Slice> = others.map(|pid| Slice::whole(pid, None)).collect();
        // Another fd of the same process may share as well as one of another process.
        let whole: Vec<Slice> = slices.iter().map(|s| Slice { fds: None, ..s.clone() }).collect();
        let mut found = glance(self.job, &whole, &mut self.targets, |_| true);
        let likenesses = found.iter().filter(|c| self.is_chosen(c.member)).map(|c| c.likeness);
        let wanted: HashSet<u64> = likenesses.collect();
        found.retain(|c| wanted.contains(&c.likeness));
        if !wanted.is_empty() {
            found.extend(glance(self.job, &others, &mut self.others, |c| wanted.contains(&c.likeness)));
        }
        Ok(found)
    }

    /// The groups in which the user's targets are, in the order of the fds by which they are in them.
    /// In each, those fds come first.
    fn groups(&self, mut groups: Vec<Group>) -> Vec<Group> {
        groups.retain(|group| group.iter().any(|&member| self.is_chosen(member)));
        for group in &mut groups {
            group.sort_unstable_by_key(|&member| (!self.is_chosen(member), member));
        }
        groups.sort_unstable_by_key(|group| group[0]);
        groups
    }

    /// Reads the groups of which at least one fd is selected, whole. They are numbered from 1.
    fn read_selected(&mut self, groups: &[Group]) -> HashMap<Member, Read> {
        let job = self.job;
        let numbered = (1..).zip(groups).flat_map(|(n, group)| group.iter().map(move |&m| (m, n)));
        let (chosen, others): (HashMap<_, _>, HashMap<_, _>) =
            numbered.partition(|&(member, _)| self.is_chosen(member));
        // First what may be selected, by all that the user asked for.
        let mut read = read_fds(job, &chosen, &mut self.reading);
        let selected: HashSet<u32> = read.values().filter(|r| r.selected).map(Read::number).collect();
        read.retain(|_, r| selected.contains(&r.number()));
        // Then what shares with that, whatever it is.
        let mut rest = others;
        rest.extend(chosen.into_iter().filter(|(member, _)| !read.contains_key(member)));
        rest.retain(|_, number| selected.contains(number));
        let plan = Plan { filter: Filter::default(), ..job.plan.clone() };
        let whole = Job { plan: &plan, query: None, user: None, ..*job };
        self.vanished += (read.len() + rest.len()) as u64;
        let unselected = read_fds(&whole, &rest, &mut self.reading);
        read.extend(unselected.into_iter().map(|(m, r)| (m, Read { selected: false, ..r })));
        read
    }

    /// What is shared still, now that it was read; numbered from 1, unless the user asked for numbers.
    /// All the rest has vanished.
    fn still_shared(&mut self, mut read: HashMap<Member, Read>) -> Vec<Fd> {
        let candidate = |(&member, r): (&Member, &Read)| Candidate { likeness: r.number().into(), member };
        let shared = Shared::among(read.iter().map(candidate).collect(), &Kernel);
        let asked = self.job.query.is_some_and(|q| q.fields().any(|f| f.name == "shared"));
        let mut numbers = HashSet::new();
        let mut rows = Vec::with_capacity(read.len());
        for group in self.groups(shared.groups) {
            let members: Vec<Read> = group.iter().filter_map(|member| read.remove(member)).collect();
            if !members.iter().any(|r| r.selected) {
                continue;
            }
            let number = if asked { members[0].number() } else { numbers.len() as u32 + 1 };
            // A group may have become two, of which one only can keep the number.
            if numbers.insert(number) {
                rows.extend(members.into_iter().map(|r| Fd { shared: Some(number), ..r.row }));
            }
        }
        self.vanished -= (rows.len() + shared.denied.len()) as u64;
        self.denied.extend(shared.denied);
        rows
    }
}

/// Looks through processes for candidates that are wanted, with no more calls than that takes.
fn glance(
    job: &Job<'_>,
    slices: &[Slice],
    report: &mut Report,
    is_wanted: impl Fn(&Candidate) -> bool + Sync,
) -> Vec<Candidate> {
    let plan = Plan { identity: true, threads: job.plan.threads, ..Plan::default() };
    let job = Job { plan: &plan, query: None, user: None, ..*job };
    let mut all = Vec::new();
    run_all(
        slices,
        || job.worker(),
        |worker, slice| {
            let mut found = Vec::new();
            let part = worker.scan(slice, |_, row| found.extend(Candidate::of(row).filter(|c| is_wanted(c))));
            (part, found)
        },
        |(part, found)| {
            report.add(part);
            all.extend(found);
        },
    );
    all
}

/// Reads fds as any listing does, gives each its number, and tells which of them are selected.
fn read_fds(job: &Job<'_>, wanted: &HashMap<Member, u32>, report: &mut Report) -> HashMap<Member, Read> {
    let mut fds: BTreeMap<Pid, Vec<FdNum>> = BTreeMap::new();
    for member in wanted.keys() {
        fds.entry(member.pid).or_default().push(member.fd);
    }
    let slice = |(pid, fds): (Pid, Vec<FdNum>)| {
        let last = fds.iter().map(|fd| fd.0).max().unwrap_or_default();
        Slice { last, ..Slice::whole(pid, Some(FdRanges::from_iter(fds))) }
    };
    let slices: Vec<Slice> = fds.into_iter().map(slice).collect();
    // The expression may ask for the number, which the scan does not know.
    let query = job.query;
    let job = Job { query: None, ..*job };
    let mut all = HashMap::with_capacity(wanted.len());
    run_all(
        &slices,
        || (job.worker(), query.map(Where::evaluator)),
        |(worker, evaluator), slice| {
            let mut found = Vec::new();
            let part = worker.scan(slice, |_, row| {
                let Assoc::Fd(fd) = row.assoc else { return };
                let member = Member { pid: slice.pid, task: row.task, fd };
                let Some(&number) = wanted.get(&member) else { return };
                let row = Fd { shared: Some(number), ..row.clone() };
                let selected = evaluator.as_ref().is_none_or(|e| e.matches(&row));
                found.push((member, Read { row, selected }));
            });
            (part, found)
        },
        |(part, found)| {
            report.add(part);
            all.extend(found);
        },
    );
    all
}
