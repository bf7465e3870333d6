//! `limits --system`: what holds for the whole machine.

use super::processes;
use crate::context::Context;
use crate::error::{Error, Outcome};
use crate::model::{
    Cell, Column, Emphasis, Fd, Field, Record, Tally, Value, column_table, percent, quantity,
};
use crate::proc::{Filter, Plan, ProcessDir, Scanner, Setting, Slice, System, run_ordered, system_settings};
use crate::render::{Format, Renderer};
use std::collections::BTreeMap;

/// A setting, with one user's share where it is a limit of each user.
struct Row {
    setting: Setting,
    user: Option<String>,
}

impl Row {
    fn percent(&self) -> Option<f64> {
        let (used, value) = (self.setting.used?, self.setting.value);
        (value > 0).then(|| percent(used as f64, value as f64))
    }
}

impl Record for Row {
    fn emphasis(&self) -> Emphasis {
        Emphasis::of_share(self.percent())
    }
}

const COLUMNS: &[Column<Row>] = column_table! {
    "setting", String, "sysctl(8) name, or the constant's",
        |r| Some(Cell::Text(r.setting.name.as_bytes()));
    "value", Integer, "its value", |r| Some(Cell::Uint(r.setting.value));
    "used", Integer, "what counts against it; null where it is not known",
        |r| Some(r.setting.used.map_or(Cell::Null, Cell::Uint));
    "percent", Number, "used, of the value", |r| Some(r.percent().map_or(Cell::Null, Cell::Float));
    "user", String, "whose use it is, for limits of each user",
        |r| r.user.as_deref().map(|u| Cell::Text(u.as_bytes()));
    "unit", String, "what it counts", |r| Some(Cell::Text(r.setting.unit.as_bytes()));
    "meaning", String, "what it means", |r| Some(Cell::Text(r.setting.meaning.as_bytes()));
};

/// The fields of `limits --system`, for the manual.
pub(super) fn fields() -> impl Iterator<Item = &'static Field> {
    COLUMNS.iter().map(|c| c.field)
}

/// Runs `fdscope limits --system`.
pub(super) fn run(context: &mut Context) -> Result<Outcome, Error> {
    let (users, tally) = by_user(context)?;
    let mut rows = Vec::new();
    for setting in system_settings(&context.root) {
        let share = |use_: &UserUse| match setting.name {
            "fs.inotify.max_user_instances" => use_.instances,
            "fs.inotify.max_user_watches" => use_.watches,
            "fs.epoll.max_user_watches" => use_.registrations,
            _ => 0,
        };
        let mut shares: Vec<(u64, &String)> = users.iter().map(|(user, use_)| (share(use_), user)).collect();
        shares.retain(|(n, _)| *n > 0);
        shares.sort_by(|a, b| b.cmp(a));
        if shares.is_empty() {
            rows.push(Row { setting, user: None });
            continue;
        }
        rows.extend(shares.into_iter().map(|(used, user)| Row {
            setting: Setting { used: Some(used), ..setting.clone() },
            user: Some(user.clone()),
        }));
    }
    if tally.denied > 0 {
        let denied = quantity(tally.denied as usize, "process or fd", "processes or fds");
        context.note(&format!("use by user leaves out {denied} that may not be read"));
    }
    context.tell_hidden(tally);
    let mut columns = COLUMNS.to_vec();
    if context.style.format == Format::Table {
        columns.retain(|c| c.field.name != "unit");
    }
    let renderer = Renderer::new(context.style, "limits", columns, false);
    renderer.write_all(&mut context.out, rows, tally).map_err(Error::Output)?;
    Ok(Outcome::Met)
}

/// What one user's processes hold of the things that are limited by user.
#[derive(Default)]
struct UserUse {
    instances: u64,
    watches: u64,
    registrations: u64,
}

/// Adds up inotify and epoll over all processes. The kernel charges the user who made an
/// instance: taken here to be the user of the process that holds it.
fn by_user(context: &Context) -> Result<(BTreeMap<String, UserUse>, Tally), Error> {
    let system = System::new(context.root.clone(), true);
    let plan = Plan {
        values: true,
        filter: Filter { kinds: vec!["inotify".to_owned(), "epoll".to_owned()], ..Filter::default() },
        ..Plan::default()
    };
    let root = &context.root;
    let pids = processes::all(context)?;
    let mut users: BTreeMap<String, UserUse> = BTreeMap::new();
    let mut total = Tally { hidden: root.hides_processes(), ..Tally::default() };
    let scan = |scanner: &mut Scanner<'_>, pid: &crate::model::Pid| {
        let mut use_ = UserUse::default();
        let dir = ProcessDir::open(root, *pid, &system)?;
        let tally = scanner.scan(&dir, &Slice::whole(*pid, None), &mut |row| use_.add(row))?;
        Ok::<_, crate::proc::OpenError>((dir.process.user.clone().unwrap_or_default(), use_, tally))
    };
    let done: Result<(), Error> = run_ordered(
        &pids,
        || Scanner::new(&system, &plan),
        scan,
        |result| {
            match result {
                Ok((user, use_, tally)) => {
                    total.add(tally);
                    let sum = users.entry(user).or_default();
                    sum.instances += use_.instances;
                    sum.watches += use_.watches;
                    sum.registrations += use_.registrations;
                }
                Err(crate::proc::OpenError::Gone) => total.vanished += 1,
                Err(_) => total.denied += 1,
            }
            Ok(())
        },
    );
    done.map(|()| (users, total))
}

impl UserUse {
    fn add(&mut self, row: &Fd) {
        let count = |key: &str| match row.values.iter().find(|(k, _)| *k == key) {
            Some((_, Value::Uint(n))) => *n,
            _ => 0,
        };
        match &*row.kind {
            "inotify" => {
                self.instances += 1;
                self.watches += count("watches");
            }
            "epoll" => self.registrations += count("watches"),
            _ => {}
        }
    }
}
