//! How often the listeners of a network namespace refused a connection: `/proc/PID/net/netstat`.

use crate::model::decimal;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// What the TCP listeners of a network namespace did together since it was made. A client that is
/// refused tries again, and each time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenCounters {
    /// `ListenOverflows`: there was no place in an accept queue.
    pub overflows: u64,
    /// `ListenDrops`: that, or another reason not to take the connection, such as no memory.
    pub drops: u64,
}

/// An open `/proc/PID/net/netstat`, which can be read again without another fd.
///
/// It is of the network namespace in which the process was when the file was opened. That
/// namespace lives on for as long as the file is open, and can be read even if the process ends or
/// goes to another one.
#[derive(Debug)]
pub struct Netstat {
    file: File,
    text: Vec<u8>,
}

/// More than the file has by far.
const LIMIT: usize = 1 << 20;

impl Netstat {
    /// Opens the file `path`.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, text: vec![0; 8 << 10] })
    }

    /// Reads the counters as they are now. `InvalidData` where they are not in the file.
    pub fn read(&mut self) -> io::Result<ListenCounters> {
        loop {
            // The kernel writes the file anew for whoever reads from its start, and gives all of
            // it to whoever has the room.
            let length = match self.file.read_at(&mut self.text, 0) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                length => length?,
            };
            if length < self.text.len() || length >= LIMIT {
                let invalid = || io::Error::new(io::ErrorKind::InvalidData, "no counters of TCP listeners");
                return parse(&self.text[..length]).ok_or_else(invalid);
            }
            self.text.resize(2 * length, 0);
        }
    }
}

/// Each group of counters is two lines, one of names and one of numbers.
fn parse(text: &[u8]) -> Option<ListenCounters> {
    let mut lines = text.split(|&b| b == b'\n').filter_map(|line| line.strip_prefix(b"TcpExt: "));
    let mut words = || lines.next().map(|line| line.split(|&b| b == b' '));
    let (names, numbers) = (words()?, words()?);
    let (mut overflows, mut drops) = (None, None);
    for (name, number) in names.zip(numbers) {
        match name {
            b"ListenOverflows" => overflows = decimal(number),
            b"ListenDrops" => drops = decimal(number),
            _ => {}
        }
    }
    Some(ListenCounters { overflows: overflows?, drops: drops? })
}

#[cfg(test)]
mod tests {
    use super::{ListenCounters, Netstat, parse};
    use std::io::{ErrorKind, Write as _};
    use std::path::Path;

    #[test]
    fn counters_are_found_by_name() {
        let text = b"TcpExt: SyncookiesSent ListenDrops Between ListenOverflows\n\
            TcpExt: 1 18446744073709551615 2 3\nIpExt: ListenDrops\nIpExt: 9\n";
        assert_eq!(parse(text), Some(ListenCounters { overflows: 3, drops: u64::MAX }));
        let texts = ["", "TcpExt: ListenDrops ListenOverflows\n", "TcpExt: ListenDrops\nTcpExt: 1\n"];
        for text in texts {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(parse(b"TcpExt: ListenOverflows ListenDrops\nTcpExt: 1\n"), None);
        assert_eq!(parse(b"TcpExt: ListenOverflows ListenDrops\nTcpExt: 1 \xff\n"), None);
    }

    #[test]
    fn a_file_of_any_length_is_read_from_its_start_each_time() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let write = |file: &mut tempfile::NamedTempFile, drops: u64| {
            let (names, numbers) = ("Name ".repeat(9_000), "0 ".repeat(9_000));
            let text = format!("TcpExt: {names}ListenOverflows ListenDrops\nTcpExt: {numbers}7 {drops}\n");
            file.as_file_mut().set_len(0).unwrap();
            std::fs::OpenOptions::new()
                .append(true)
                .open(file.path())
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
        };
        write(&mut file, 8);
        let mut netstat = Netstat::open(file.path()).unwrap();
        assert_eq!(netstat.read().unwrap(), ListenCounters { overflows: 7, drops: 8 });
        write(&mut file, 9);
        assert_eq!(netstat.read().unwrap().drops, 9);
        let error = Netstat::open(Path::new("/dev/zero")).unwrap().read().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn the_kernel_has_them() {
        let path = Path::new("/proc/self/net/netstat");
        if !path.exists() {
            eprintln!("skipped: the kernel's counters, because this one has no {}", path.display());
            return;
        }
        let mut netstat = Netstat::open(path).unwrap();
        let (first, second) = (netstat.read().unwrap(), netstat.read().unwrap());
        assert!(first.overflows <= first.drops && first.drops <= second.drops);
    }
}
