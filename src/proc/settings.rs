//! What holds for the whole machine.

use super::root::ProcRoot;

/// A setting of the kernel, or a constant that people trip over.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its sysctl name, or the constant's.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
    /// What counts against it, machine-wide.
    pub used: Option<u64>,
    /// What it counts.
    pub unit: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Name, unit, meaning.
type Sysctl = (&'static str, &'static str, &'static str);

/// Read from `/proc/sys`, dots being slashes.
const SYSCTLS: &[Sysctl] = &[
    ("fs.file-max", "descriptions", "open descriptions in the whole system; beyond it open(2) gives ENFILE"),
    ("fs.nr_open", "fds", "ceiling of the hard nofile limit of any process"),
    ("net.core.somaxconn", "connections", "ceiling that listen(2) clamps a backlog to, when it is called"),
    (
        "net.ipv4.tcp_max_syn_backlog",
        "connections",
        "half-open connections of a listener, without syncookies",
    ),
    ("net.ipv4.tcp_syncookies", "switch", "0 never, 1 when the SYN queue is full, 2 always"),
    (
        "net.ipv4.tcp_abort_on_overflow",
        "switch",
        "1 answers RST when the accept queue filled after the SYN; dropped SYNs stay silent",
    ),
    (
        "fs.inotify.max_user_instances",
        "instances",
        "inotify instances of one user; beyond it inotify_init(2) gives EMFILE",
    ),
    (
        "fs.inotify.max_user_watches",
        "watches",
        "inotify watches of one user; beyond it inotify_add_watch(2) gives ENOSPC",
    ),
    (
        "fs.inotify.max_queued_events",
        "events",
        "events that wait in one instance; further ones are lost, with IN_Q_OVERFLOW",
    ),
    (
        "fs.epoll.max_user_watches",
        "registrations",
        "epoll registrations of one user; beyond it epoll_ctl(2) gives ENOSPC",
    ),
    ("fs.pipe-max-size", "bytes", "largest pipe that F_SETPIPE_SZ gives without privilege"),
    ("fs.pipe-user-pages-soft", "pages", "beyond it a user's new pipes hold 2 pages instead of 16"),
    ("fs.pipe-user-pages-hard", "pages", "beyond it a user gets no new pipes; 0 for no such limit"),
    ("fs.aio-max-nr", "requests", "events of all io_setup(2) contexts together"),
    ("kernel.pid_max", "ids", "pids and thread ids wrap around below it"),
    ("kernel.threads-max", "threads", "threads in the whole system; beyond it fork(2) gives EAGAIN"),
];

/// All settings that this kernel has, and the constants.
pub fn system_settings(root: &ProcRoot) -> Vec<Setting> {
    SYSCTLS.iter().filter_map(|sysctl| read(root, sysctl)).chain(constants()).collect()
}

/// The one of this sysctl name.
pub fn system_setting(root: &ProcRoot, name: &str) -> Option<Setting> {
    read(root, SYSCTLS.iter().find(|sysctl| sysctl.0 == name)?)
}

fn read(root: &ProcRoot, &(name, unit, meaning): &Sysctl) -> Option<Setting> {
    let number = |file: &str, word: usize| -> Option<u64> {
        let text = std::fs::read_to_string(root.join(file)).ok()?;
        text.split_ascii_whitespace().nth(word)?.parse().ok()
    };
    let threads = || {
        let text = std::fs::read_to_string(root.join("loadavg")).ok()?;
        text.split_ascii_whitespace().nth(3)?.split_once('/')?.1.parse().ok()
    };
    let used = match name {
        // Allocated less free; free has been 0 since Linux 2.6.
        "fs.file-max" => {
            let (allocated, free) = (number("sys/fs/file-nr", 0), number("sys/fs/file-nr", 1));
            allocated.zip(free).map(|(allocated, free)| allocated.saturating_sub(free))
        }
        "fs.aio-max-nr" => number("sys/fs/aio-nr", 0),
        "kernel.pid_max" | "kernel.threads-max" => threads(),
        _ => None,
    };
    let value = number(&format!("sys/{}", name.replace('.', "/")), 0)?;
    Some(Setting { name, value, used, unit, meaning })
}

/// `_POSIX_OPEN_MAX` of `limits.h(0p)`.
const POSIX_OPEN_MAX: u64 = 20;

fn constants() -> Vec<Setting> {
    let open_max = nix::unistd::sysconf(nix::unistd::SysconfVar::OPEN_MAX).ok().flatten();
    let constant = |name, value, meaning| Setting { name, value, used: None, unit: "fds", meaning };
    let mut constants = vec![
        constant(
            "_POSIX_OPEN_MAX",
            POSIX_OPEN_MAX,
            "the least that POSIX promises a process; no limit of Linux",
        ),
        constant(
            "FD_SETSIZE",
            libc::FD_SETSIZE as u64,
            "select(2) of the C library takes fds below it only, whatever nofile says",
        ),
    ];
    if let Some(value) = open_max {
        constants.insert(
            0,
            constant(
                "OPEN_MAX",
                value as u64,
                "sysconf(_SC_OPEN_MAX): the soft nofile limit that fdscope inherited, no constant",
            ),
        );
    }
    constants
}
