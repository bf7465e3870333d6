//! What is done with accepted connections, as the user names it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is done with accepted connections.
#[derive(Clone, Debug)]
pub enum Service {
    /// Read and throw away, to the peer's end (RFC 863).
    Discard,
    /// Send back what comes, to the peer's end (RFC 862). Messages of `SOCK_SEQPACKET` stay
    /// messages; one that is longer than the buffer is `EMSGSIZE`.
    Echo,
    /// Keep the connection open and never read, not even its end: a peer that closes leaves it in
    /// `CLOSE_WAIT`.
    Hold,
    /// Close it at once. Where input was waiting, the peer sees a reset.
    Close,
    /// Send a file, then discard what comes: to close while input is unread would be a reset,
    /// which destroys what the peer has not read.
    Send(Arc<SendFile>),
    /// Answer each HTTP/1 request with the same short text.
    Http,
    /// Keep the processor busy for as long as each line says, and then send the line back.
    Compute,
}

/// The file that [`Service::Send`] sends.
#[derive(Debug)]
pub struct SendFile {
    path: PathBuf,
    file: File,
}

impl Service {
    /// Each service as it is written, with what it does.
    pub const WORDS: &[(&str, &str)] = &[
        ("discard", "read and throw away"),
        ("echo", "send back what comes"),
        ("hold", "keep it open and never read"),
        ("close", "close it at once"),
        ("send=FILE", "send a file"),
        ("http", "answer each HTTP request with a short text"),
        ("compute", "keep the processor busy for the time that a line says"),
    ];

    /// The service that `text` names. The file of `send=FILE` is opened now, so that a wrong name
    /// is known before the first connection.
    ///
    /// # Errors
    ///
    /// There is no such service, or its file cannot be opened or is not a regular file.
    pub fn parse(text: &OsStr) -> Result<Self, String> {
        if let Some(path) = text.as_bytes().strip_prefix(b"send=") {
            return SendFile::open(Path::new(OsStr::from_bytes(path))).map(|file| Self::Send(Arc::new(file)));
        }
        Ok(match text.as_bytes() {
            b"discard" => Self::Discard,
            b"echo" => Self::Echo,
            b"hold" => Self::Hold,
            b"close" => Self::Close,
            b"http" => Self::Http,
            b"compute" => Self::Compute,
            b"send" => return Err(NO_FILE.to_owned()),
            _ => {
                let words: Vec<&str> = Self::WORDS.iter().map(|(word, _)| *word).collect();
                return Err(format!("there is no such service; there are {}", words.join(", ")));
            }
        })
    }

    /// The service as it was written: [`Service::parse`] gives it again.
    pub fn word(&self) -> OsString {
        let word = match self {
            Self::Discard => "discard",
            Self::Echo => "echo",
            Self::Hold => "hold",
            Self::Close => "close",
            Self::Http => "http",
            Self::Compute => "compute",
            Self::Send(file) => {
                let mut word = OsString::from("send=");
                word.push(&file.path);
                return word;
            }
        };
        word.into()
    }

    /// Whether nothing is ever done, so that there is nothing to call for or to wait for.
    pub fn never_ends(&self) -> bool {
        matches!(self, Self::Hold)
    }
}

const NO_FILE: &str = "send needs the file to send: send=FILE";

impl SendFile {
    /// Opens a regular file. Nothing else has a size to send, and to open a FIFO or a device
    /// could wait for ever or do something.
    fn open(path: &Path) -> Result<Self, String> {
        if path.as_os_str().is_empty() {
            return Err(NO_FILE.to_owned());
        }
        let shown = path.display();
        let metadata = path.metadata().map_err(|e| format!("cannot read {shown}: {e}"))?;
        if !metadata.is_file() {
            return Err(format!("cannot send {shown}: it is not a regular file"));
        }
        let file = File::open(path).map_err(|e| format!("cannot open {shown}: {e}"))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// The file, open for reading.
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    use super::Service;
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStringExt as _;

    fn parse(text: &str) -> Result<Service, String> {
        Service::parse(OsStr::new(text))
    }

    #[test]
    fn a_word_can_be_parsed_again() {
        for (word, _) in Service::WORDS.iter().filter(|(word, _)| *word != "send=FILE") {
            assert_eq!(parse(word).unwrap().word(), *word);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(OsString::from_vec(b"a = \xff".to_vec()));
        std::fs::write(&path, "x").unwrap();
        let mut word = OsString::from("send=");
        word.push(&path);
        assert_eq!(Service::parse(&word).unwrap().word(), word);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |text: &str| parse(text).unwrap_err();
        assert_eq!(
            wrong("ecko"),
            "there is no such service; there are discard, echo, hold, close, send=FILE, http, compute"
        );
        assert_eq!(wrong("send"), "send needs the file to send: send=FILE");
        assert_eq!(wrong("send="), wrong("send"));
        assert_eq!(wrong("send=/dev/null"), "cannot send /dev/null: it is not a regular file");
        assert_eq!(wrong("send=/"), "cannot send /: it is not a regular file");
        let missing = wrong("send=/nonexistent/file");
        assert!(missing.starts_with("cannot read /nonexistent/file: No such file"), "{missing}");
    }

    #[test]
    fn only_holding_never_ends() {
        assert!(Service::Hold.never_ends());
        assert!(!Service::Discard.never_ends());
    }
}
