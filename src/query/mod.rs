//! `--where`: expressions over fields, in CEL, the Common Expression Language.
//!
//! [`Where::compile`] checks names and types against the fields there are, so that what goes
//! wrong in evaluation is never a mistake of the user: it is a record without that field, which
//! does not match. By CEL's own rule an error in one half of `||` yields to a true other half.

mod check;
mod sizes;

use crate::model::{Cell, Column, Escape, Field, Holder, Record, Value, escape};
use cel::objects::Key;
use cel::{Context, ExecutionError, Program};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

/// A compiled expression over records of type `R`.
pub struct Where<R: 'static> {
    program: Program,
    columns: Vec<Column<R>>,
    /// Whether any record gave an answer.
    answered: AtomicBool,
    /// The first thing that went wrong in evaluation, other than a record without the field.
    fault: OnceLock<String>,
}

impl<R: Record> Where<R> {
    /// Compiles `text`, which may use any of the fields `all`. The error says what is wrong and
    /// where.
    pub fn compile(text: &str, all: &[Column<R>]) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("--where: the expression is longer than {LONGEST} bytes"));
        }
        let source = sizes::expand(text);
        let program = parse(&source.text).map_err(|errors| {
            let first = errors.errors.first();
            let at = first.map_or(0, |e| (e.pos.1 - 1).max(0) as usize);
            let message = first.map_or_else(|| errors.to_string(), |e| explained(&e.msg));
            point(text, source.original(at), &message)
        })?;
        let fields: Vec<&'static Field> = all.iter().map(|c| c.field).collect();
        let used = check::check(&program, &fields).map_err(|fault| {
            let at = fault.id.and_then(|id| program.source_info().offset_for(id));
            point(text, source.original(at.map_or(0, |(start, _)| start as usize)), &fault.message)
        })?;
        let columns = all.iter().copied().filter(|c| used.contains(&c.field.name)).collect();
        Ok(Self { program, columns, answered: AtomicBool::new(false), fault: OnceLock::new() })
    }

    /// The fields that it uses.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.columns.iter().map(|c| c.field)
    }

    /// What is wrong with the expression, where it could be evaluated for no record at all.
    pub fn fault(&self) -> Option<&str> {
        self.fault.get().filter(|_| !self.answered.load(Relaxed)).map(String::as_str)
    }

    /// What evaluation needs and one thread can use again for every record.
    pub fn evaluator(&self) -> Evaluator<'_, R> {
        let mut context = Context::default();
        // It fails only for a name that no function may have.
        let _ = context.add_function("matches", matches);
        Evaluator { query: self, context }
    }
}

/// Evaluates an expression on one thread.
pub struct Evaluator<'w, R: 'static> {
    query: &'w Where<R>,
    context: Context<'static, 'static>,
}

impl<R: Record> Evaluator<'_, R> {
    /// Whether a record matches.
    pub fn matches(&self, record: &R) -> bool {
        let mut scope = self.context.new_inner_scope();
        let mut objects: HashMap<&str, HashMap<Key, cel::Value>> = HashMap::new();
        let mut has_null = false;
        for column in &self.query.columns {
            let cell = column.cell(record);
            has_null |= cell == Some(Cell::Null);
            match column.field.name.split_once('.') {
                None => {
                    if let Some(cell) = cell {
                        scope.add_variable_from_value(column.field.name, value(cell));
                    }
                }
                Some((object, key)) => {
                    let entries = objects.entry(object).or_default();
                    if let Some(cell) = cell {
                        entries.insert(Key::from(key), value(cell));
                    }
                }
            }
        }
        for (object, entries) in objects {
            scope.add_variable_from_value(object, cel::Value::Map(entries.into()));
        }
        let query = self.query;
        let fault = match query.program.execute(&scope) {
            Ok(cel::Value::Bool(answer)) => {
                query.answered.store(true, Relaxed);
                return answer;
            }
            Ok(other) => format!("it gives {other:?}, which is no condition"),
            // The record has no such field, as most have not.
            Err(ExecutionError::UndeclaredReference(_) | ExecutionError::NoSuchKey(_)) => return false,
            // Or it has no value, which cannot be asked for its size.
            Err(_) if has_null => return false,
            Err(error) => error.to_string(),
        };
        // Others that come later say the same.
        let _ = query.fault.set(fault);
        false
    }
}

/// The longest expression that is looked at.
const LONGEST: usize = 10_000;

/// Parses on a stack that the longest expression, nested as deep as can be, does not fill: the
/// parser calls itself for each level before it counts them.
fn parse(text: &str) -> Result<Program, cel::ParseErrors> {
    const STACK: usize = 512 << 20;
    std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(STACK);
        match parser.spawn_scoped(scope, || Program::compile(text)).map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            _ => Program::compile(text),
        }
    })
}

/// The same names as in JSON.
fn holder(holder: &Holder) -> cel::Value {
    let Holder { process, fd } = holder;
    let entry = |key: &str, cell| (Key::from(key), value(cell));
    let entries = [
        entry("pid", Cell::Int(process.pid.0.into())),
        entry("command", Cell::Text(&process.command)),
        entry("fd", Cell::Int(fd.0.into())),
    ];
    cel::Value::Map(HashMap::from(entries).into())
}

/// A value as CEL has it: text is the same as in JSON.
fn value(cell: Cell<'_>) -> cel::Value {
    let text = |t: String| cel::Value::String(t.into());
    match cell {
        Cell::Null => cel::Value::Null,
        Cell::Bool(b) => cel::Value::Bool(b),
        Cell::Int(n) => cel::Value::Int(n),
        Cell::Uint(n) => i64::try_from(n).map_or(cel::Value::UInt(n), cel::Value::Int),
        Cell::Float(x) => cel::Value::Float(x),
        Cell::Word(w) => text(w.to_owned()),
        Cell::Text(t) => text(escape(t, Escape::Json).into_owned()),
        Cell::Device(d) => text(d.to_string()),
        Cell::Address(endpoint) => text(endpoint.to_string()),
        Cell::Holders(holders) => cel::Value::List(holders.iter().map(holder).collect::<Vec<_>>().into()),
        Cell::Set(set) => {
            let mut names = Vec::new();
            set.each(|name| names.push(text(name.to_owned())));
            cel::Value::List(names.into())
        }
        Cell::List(values) => {
            let values: Vec<_> = values.iter().map(|v: &Value| value(v.cell())).collect();
            cel::Value::List(values.into())
        }
        Cell::Map(entries) => {
            let entries: HashMap<Key, cel::Value> =
                entries.iter().map(|(k, v)| (Key::from(*k), value(v.cell()))).collect();
            cel::Value::Map(entries.into())
        }
    }
}

/// `matches`, with the expression compiled once a thread and not once a record.
fn matches(
    cel::extractors::This(text): cel::extractors::This<std::sync::Arc<String>>,
    pattern: std::sync::Arc<String>,
) -> bool {
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Option<regex::Regex>>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        if !compiled.contains_key(&*pattern) {
            compiled.insert(pattern.to_string(), regex::Regex::new(&pattern).ok());
        }
        compiled[&*pattern].as_ref().is_some_and(|r| r.is_match(&text))
    })
}

/// What the parser says, in words that tell what would be right.
fn explained(message: &str) -> String {
    if message.contains("invalid argument to has() macro") {
        let hint = "of others, NAME != null is true where the record has the field";
        return format!("has() takes a field that has a dot in its name, as has(tcp.state); {hint}");
    }
    short(message)
}

/// The first sentence of the parser's message.
fn short(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let message = message.split(" expecting {").next().unwrap_or(message);
    message.replace("'<EOF>'", "end of the expression")
}

/// The expression with a mark below the fault.
fn point(text: &str, at: usize, message: &str) -> String {
    let at = at.min(text.len());
    let before = text.get(..at).map_or(at, |t| t.chars().count());
    format!("--where: {message}\n  {text}\n  {}^", " ".repeat(before))
}

#[cfg(test)]
mod tests {
    use super::Where;
    use crate::model::{Assoc, Fd, FdNum, Inode, Pid, Process, Value};
    use std::sync::Arc;

    fn row() -> Fd {
        let process = Process { pid: Pid(42), command: b"nginx".to_vec(), uid: 0, user: None };
        let mut fd = Fd::new(Arc::new(process));
        fd.reset(Assoc::Fd(FdNum(6)));
        fd.kind = "tcp".into();
        fd.object = "tcp";
        fd.inode = Some(Inode(u64::MAX));
        fd.put("state", "listen");
        fd.put("recv_queue", 3u64);
        fd.link = b"/tmp/\xff".to_vec();
        fd.path_length = Some(fd.link.len());
        fd
    }

    fn query(text: &str) -> Result<bool, String> {
        let all = crate::commands::list_fields();
        Where::compile(text, &all).map(|w| w.evaluator().matches(&row()))
    }

    #[test]
    fn what_matches() {
        for text in [
            "pid == 42",
            "command == 'nginx' && fd in [3, 6]",
            "tcp.state == 'listen' && tcp.recv_queue > 2",
            "tcp.recv_queue < 1K",
            "kind.matches('^t.p$')",
            "command.startsWith('ng') || false",
            "has(tcp.state) && !has(udp.state)",
            "udp.state == 'x' || pid == 42",
            "path == '/tmp/\\\\xff'",
            "inode > 5",
            "timerfd.remaining > 1.5 || tcp.recv_queue > 1.5",
        ] {
            assert_eq!(query(text), Ok(true), "{text}");
        }
    }

    #[test]
    fn what_does_not_match() {
        for text in [
            "pid == 43",
            "udp.state == 'x'",
            "udp.state != 'x'",
            "!(udp.state == 'x')",
            "'nonblock' in flags",
            "tcp.recv_queue > 1K",
            "epoll.watched.exists(w, w.stale)",
        ] {
            assert_eq!(query(text), Ok(false), "{text}");
        }
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let told = |text: &str| query(text).expect_err(text);
        assert_eq!(
            told("pid == 1 && knd == 'tcp'"),
            "--where: there is no field 'knd'; did you mean 'kind'?\n  pid == 1 && knd == 'tcp'\n              ^"
        );
        assert!(told("tcp.stat == 'x'").contains("did you mean 'tcp.state'?"));
        let text = told("tcp.recv_queue > 10M || pid == 'x'");
        assert!(text.starts_with("--where: pid is an integer, but 'x' is a string"), "{text}");
        assert!(text.ends_with(&format!("\n  {}^", " ".repeat(24))), "{text}");
        assert!(told("pid").contains("is an integer, not a condition"));
        assert!(told("kind.matches('[')").contains("regular expression"));
        assert!(told("pid ==").contains("end of the expression"));
        assert!(told("kind.foo('x')").contains("no function 'foo'"));
        assert!(told("max(fd, 3) == 3").contains("no function 'max'"));
        assert!(told("pid && true").contains("pid is an integer, but && takes conditions"));
        assert!(told("'x' in kind").contains("takes a list"));
        assert!(told("tcp == 'x'").contains("'tcp' is not a field by itself"));
        assert!(told("").contains("--where"));
    }

    #[test]
    fn names_and_types_inside_records_are_checked() {
        let told = |text: &str| query(text).expect_err(text);
        assert_eq!(
            told("pid == 1 || peers.exists(p, p.comand == 'x')"),
            "--where: these records have no 'comand', but pid, command, fd; did you mean 'command'?\n  \
             pid == 1 || peers.exists(p, p.comand == 'x')\n                              ^"
        );
        for (text, message) in [
            ("epoll.watched.exists(w, w.nosuch)", "no 'nosuch', but fd, events, data, kind, stale"),
            ("epoll.watched.exists(w, has(w.nosuch))", "no 'nosuch'"),
            ("epoll.watched.exists(w, w.events == 'in')", "w.events is a list, but 'in' is a string"),
            ("epoll.watched.exists(w, w.fd > '1')", "w.fd is an integer, but '1' is a string"),
            ("epoll.watched.all(w, w.fd)", "w.fd is an integer, but a condition is wanted here"),
            ("epoll.watched.exists(w, w == 'x')", "w is a record, but 'x' is a string"),
            ("epoll.watched.exists(w, 'in' in w.kind)", "takes a list"),
            ("epoll.watched.exists(w, w.fd.x == 1)", "w.fd is an integer, which has no 'x'"),
            ("epoll.watched.exists(w, w['nosuch'] == 1)", "no 'nosuch'"),
            ("epoll.watched.fd == 3", "epoll.watched is a list, which has no 'fd'"),
            ("epoll.watched[0].nosuch == 3", "no 'nosuch'"),
            ("peers.exists(p, epoll.watched.exists(p, p.pid == 1))", "no 'pid'"),
        ] {
            assert!(told(text).contains(message), "{text}: {}", told(text));
        }
        for text in [
            "peers.exists(p, p.pid == 1 && p.command.startsWith('x') && p.fd in [1, 2])",
            "peers.exists(p, epoll.watched.exists(w, w.fd == p.fd && 'in' in w.events && !w.stale))",
            "regular.locks.exists_one(l, l.type == 'flock' && l.mode == 'write' && l.end == null && l.start > 1K)",
            "inotify.watched.exists(w, has(w.path) && w.wd > 1 || w.device == '8:1' || w.inode == 1)",
            "fanotify.marked.all(m, m.type == 'mount' && m.path == '/' && size(m.events) == 1)",
            "size(epoll.watched.filter(w, w.stale)) > 1 && epoll.watched[0]['fd'] == 1 || peers == []",
            "epoll.watched.map(w, w.fd).exists(n, n > 3) || flags.exists(f, f.startsWith('non'))",
        ] {
            assert!(query(text).is_ok(), "{text}: {:?}", query(text));
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        for (open, close) in [("(", ")"), ("[", "]"), ("-(", ")"), ("size([", "])")] {
            let text = format!("{}pid{}", open.repeat(1200), close.repeat(1200));
            assert!(query(&text).is_err(), "{open}");
        }
        assert_eq!(query(&("!".repeat(9000) + "(pid == 42)")), Ok(true));
        assert!(query(&"x".repeat(20_000)).unwrap_err().contains("longer than"));
    }

    #[test]
    fn what_can_never_be_evaluated_is_told() {
        let all = crate::commands::list_fields();
        let fault = |text| {
            let query = Where::compile(text, &all).unwrap();
            assert!(!query.evaluator().matches(&row()));
            query.fault().map(str::to_owned)
        };
        assert!(fault("size(1) == 4").is_some());
        assert!(fault("kind.contains('x', 'y')").is_some());
        assert!(fault("kind == 'tcp' ? 1 : 2").unwrap().contains("no condition"));
        assert_eq!(fault("udp.state == 'x'"), None);
        assert_eq!(fault("kind == 'x'"), None);
    }

    #[test]
    fn a_record_without_the_value_does_not_match() {
        let mut fd = row();
        fd.peers = Some(crate::model::Peers::UNKNOWN);
        let all = crate::commands::list_fields();
        for text in ["size(peers) == 0", "peers == []", "peers.exists(p, p.pid == 1)"] {
            let query = Where::compile(text, &all).unwrap();
            assert!(!query.evaluator().matches(&fd), "{text}");
            assert_eq!(query.fault(), None, "{text}");
        }
        fd.peers = Some(crate::model::Peers::NOBODY);
        for text in ["size(peers) == 0", "peers == []"] {
            assert!(Where::compile(text, &all).unwrap().evaluator().matches(&fd), "{text}");
        }
    }

    #[test]
    fn values_of_all_sorts() {
        let mut fd = row();
        fd.put("send_queue", Value::Null);
        let all = crate::commands::list_fields();
        let query = Where::compile("tcp.send_queue == null", &all);
        assert!(query.is_ok_and(|q| q.evaluator().matches(&fd)));
    }
}
