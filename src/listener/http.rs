//! The server's side of an HTTP/1 connection, without its socket (RFC 9112).

use httparse::Status;

/// The longest head of a request, in bytes.
const HEAD: usize = 16 * 1024;
/// The most header fields of a request.
const FIELDS: usize = 100;

const BAD_REQUEST: &str = "400 Bad Request";
const FIELDS_TOO_LARGE: &str = "431 Request Header Fields Too Large";
const NOT_IMPLEMENTED: &str = "501 Not Implemented";

/// Answers each request with the same short text, in order, and keeps the connection by the rules
/// of HTTP.
///
/// Bodies are skipped by their `Content-Length`; one that is sent in any other way is not looked
/// at, and the connection ends with its answer. Empty between two requests.
#[derive(Debug, Default)]
pub(super) struct Http {
    /// The beginning of a head.
    head: Vec<u8>,
    /// The request whose body is being skipped.
    request: Option<Request>,
}

/// A request that will be answered once its body is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Request {
    /// What is to come of its body, in bytes.
    body: u64,
    /// The client waits for leave to send the body.
    expects_continue: bool,
    /// It is `HEAD`, whose answer has no body.
    is_head: bool,
    connection: Connection,
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Connection {
    /// It goes on, as it does in HTTP/1.1.
    Persists,
    /// It goes on because an HTTP/1.0 client asked for it, and is told.
    KeepAlive,
    Close,
}

/// Why a request is not answered as others are.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: &'static str,
    reason: String,
}

impl Http {
    /// Takes what the client sent and adds the answers to `out`. `false` if the connection is to
    /// be closed after them.
    pub(super) fn take(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> bool {
        loop {
            if let Some(request) = &mut self.request {
                let skipped = request.body.min(input.len() as u64);
                request.body -= skipped;
                input = &input[skipped as usize..];
                if request.body > 0 {
                    return true;
                }
                request.answer(out);
                if request.connection == Connection::Close {
                    return false;
                }
                self.request = None;
            }
            match self.next(&mut input) {
                Ok(Some(request)) => {
                    // Who has begun to send the body does not wait.
                    if request.expects_continue && request.body > 0 && input.is_empty() {
                        out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                    }
                    self.request = Some(request);
                }
                Ok(None) => return true,
                Err((refusal, is_head)) => {
                    refusal.answer(is_head, out);
                    return false;
                }
            }
        }
    }

    /// The client will send nothing more: answers a request that is not complete. Gives `false`,
    /// as the connection is to be closed.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> bool {
        if !self.head.is_empty() || self.request.is_some() {
            let is_head = self.request.map_or_else(|| is_head(&self.head), |request| request.is_head);
            bad("the request is not complete").answer(is_head, out);
        }
        false
    }

    /// The next request, once its head is complete; takes what belongs to it from `input`. A
    /// refusal comes with whether it answers a `HEAD`.
    fn next(&mut self, input: &mut &[u8]) -> Result<Option<Request>, (Refusal, bool)> {
        let held = self.head.len();
        let head = if held == 0 {
            // Blank lines between requests are no part of either.
            let blank = input.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            *input = &input[blank..];
            &input[..input.len().min(HEAD)]
        } else {
            let added = &input[..input.len().min(HEAD - held)];
            self.head.extend_from_slice(added);
            // A head ends with a line, and is parsed from its beginning again.
            if !added.contains(&b'\n') && self.head.len() < HEAD {
                return Ok(None);
            }
            &self.head
        };
        match Request::parse(head) {
            Ok(Some((length, request))) => {
                *input = &input[length.saturating_sub(held)..];
                self.head = Vec::new();
                Ok(Some(request))
            }
            Ok(None) if head.len() < HEAD => {
                if held == 0 {
                    self.head = head.to_vec();
                }
                Ok(None)
            }
            Ok(None) => {
                let reason = format!("the head of a request may have {HEAD} bytes");
                Err((Refusal { status: FIELDS_TOO_LARGE, reason }, is_head(head)))
            }
            Err(refusal) => Err((refusal, is_head(head))),
        }
    }
}

impl Request {
    /// The request that `bytes` begin with, and how long its head is. `None` where more is needed.
    fn parse(bytes: &[u8]) -> Result<Option<(usize, Self)>, Refusal> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS];
        let mut head = httparse::Request::new(&mut fields);
        let length = match head.parse(bytes) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => {
                let reason = format!("a request may have {FIELDS} header fields");
                return Err(Refusal { status: FIELDS_TOO_LARGE, reason });
            }
            Err(error) => return Err(bad(error.to_string())),
        };
        let values = |name: &'static str| {
            head.headers.iter().filter(move |f| f.name.eq_ignore_ascii_case(name)).map(|f| f.value)
        };
        let lists = |name: &'static str, token: &str| {
            let mut tokens = values(name).flat_map(|v| v.split(|&b| b == b',')).map(<[u8]>::trim_ascii);
            tokens.any(|t| t.eq_ignore_ascii_case(token.as_bytes()))
        };

        let is_1_0 = head.version == Some(0);
        let hosts = values("Host").count();
        if hosts > 1 || hosts == 0 && !is_1_0 {
            return Err(bad("a request of HTTP/1.1 has one Host field"));
        }
        if head.method == Some("CONNECT") {
            let reason = "CONNECT is for proxies".to_owned();
            return Err(Refusal { status: NOT_IMPLEMENTED, reason });
        }
        let mut body = None;
        for value in values("Content-Length") {
            let length = decimal(value).ok_or_else(|| bad("Content-Length is not a length"))?;
            if body.is_some_and(|body| body != length) {
                return Err(bad("the Content-Length fields differ"));
            }
            body = Some(length);
        }
        let has_coding = values("Transfer-Encoding").next().is_some();
        let connection = if has_coding || lists("Connection", "close") {
            Connection::Close
        } else if !is_1_0 {
            Connection::Persists
        } else if lists("Connection", "keep-alive") {
            Connection::KeepAlive
        } else {
            Connection::Close
        };
        let request = Self {
            body: if has_coding { 0 } else { body.unwrap_or(0) },
            expects_continue: !is_1_0 && lists("Expect", "100-continue"),
            is_head: head.method == Some("HEAD"),
            connection,
        };
        Ok(Some((length, request)))
    }

    fn answer(self, out: &mut Vec<u8>) {
        answer("200 OK", "ok\n", self.connection, self.is_head, out);
    }
}

impl Refusal {
    fn answer(&self, is_head: bool, out: &mut Vec<u8>) {
        answer(self.status, &format!("{}\n", self.reason), Connection::Close, is_head, out);
    }
}

fn bad(reason: impl Into<String>) -> Refusal {
    Refusal { status: BAD_REQUEST, reason: reason.into() }
}

/// Whether a head is that of a `HEAD`, even if nothing else of it can be read.
fn is_head(head: &[u8]) -> bool {
    head.starts_with(b"HEAD ")
}

/// A number of digits alone, as `Content-Length` is.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok().filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?;
    digits.parse().ok()
}

fn answer(status: &str, text: &str, connection: Connection, is_head: bool, out: &mut Vec<u8>) {
    let connection = match connection {
        Connection::Persists => "",
        Connection::KeepAlive => "Connection: keep-alive\r\n",
        Connection::Close => "Connection: close\r\n",
    };
    let length = text.len().to_string();
    let text = if is_head { "" } else { text };
    let head = ["HTTP/1.1 ", status, "\r\nContent-Type: text/plain\r\nContent-Length: ", &length, "\r\n"];
    for part in head.into_iter().chain([connection, "\r\n", text]) {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, HEAD, Http};

    const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n";

    /// What is answered to all of `pieces`, and whether the connection goes on.
    fn exchange<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, bool) {
        let (mut http, mut out) = (Http::default(), Vec::new());
        let goes_on = pieces.into_iter().all(|piece| http.take(piece, &mut out));
        if goes_on {
            assert!(http.head.capacity() == 0 && http.request.is_none(), "something is kept");
        }
        (String::from_utf8(out).unwrap(), goes_on)
    }

    fn answers(request: &str) -> (String, bool) {
        exchange([request.as_bytes()])
    }

    /// The status of the one answer, after which the connection is to be closed.
    fn refused(request: &[u8]) -> String {
        let (answer, goes_on) = exchange([request]);
        assert!(!goes_on && answer.contains("\r\nConnection: close\r\n"), "{answer}");
        assert_eq!(answer.matches("Content-Type").count(), 1, "{answer}");
        answer[9..12].to_owned()
    }

    #[test]
    fn requests_are_answered_in_order() {
        assert_eq!(answers("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), (OK.to_owned(), true));
        let request =
            "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nGET \r\nPUT * HTTP/1.1\nHost:\n\n";
        assert_eq!(answers(request), (OK.repeat(2), true));
        let head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(answers(head), (OK.replace("ok\n", "") + OK, true));
    }

    #[test]
    fn a_request_may_come_in_any_pieces() {
        let request =
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for first in 0..=request.len() {
            for second in first..=request.len() {
                let pieces = [&request[..first], &request[first..second], &request[second..]];
                assert_eq!(exchange(pieces), (OK.repeat(2), true), "cut at {first} and {second}");
            }
        }
        assert_eq!(exchange(request.chunks(1)), (OK.repeat(2), true));
    }

    #[test]
    fn the_client_says_whether_the_connection_goes_on() {
        let closed = OK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        let kept = closed.replace("close", "keep-alive");
        for (request, answer) in [
            ("GET / HTTP/1.0\r\n\r\n", &closed),
            ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &kept),
            ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", &closed),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x ,Close\r\n\r\n", &closed),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n", &closed),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", &OK.to_owned()),
        ] {
            assert_eq!(answers(request), (answer.clone(), answer != &closed), "{request}");
        }
    }

    #[test]
    fn nothing_after_the_last_request_is_answered() {
        let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        assert_eq!(answers(&last.repeat(2)), answers(last));
    }

    #[test]
    fn a_body_that_is_not_understood_ends_the_connection() {
        let chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n1\r\na\r\n";
        assert_eq!(refused(chunked), "200");
    }

    #[test]
    fn leave_to_send_a_body_is_given_once_and_in_order() {
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let go = "HTTP/1.1 100 Continue\r\n\r\n";
        let (all, first) = (format!("{get}{post}"), [b"a".as_slice(), b"b"]);
        assert_eq!(exchange([all.as_bytes(), first[0], first[1]]), (format!("{OK}{go}{OK}"), true));
        assert_eq!(answers(&format!("{post}ab")), (OK.to_owned(), true));
        assert_eq!(answers(&post.replace('2', "0")), (OK.to_owned(), true));
        let old = format!("{}ab", post.replace("HTTP/1.1", "HTTP/1.0"));
        assert_eq!(refused(old.as_bytes()), "200");
    }

    #[test]
    fn nonsense_is_refused() {
        for request in [
            "\x16\x03\x01\x02\0\x01\0",
            "GET / HTTP/2.0\r\n\r\n",
            "GET /\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ] {
            assert_eq!(refused(request.as_bytes()), "400", "{request}");
        }
        assert_eq!(refused(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), "501");
    }

    #[test]
    fn a_head_may_have_16_kib() {
        let request = |length: usize| {
            let (start, end) = ("GET / HTTP/1.1\r\nHost: a\r\nx: ", "\r\n\r\n");
            format!("{start}{}{end}", "x".repeat(length - start.len() - end.len())).into_bytes()
        };
        let (most, over) = (request(HEAD), request(HEAD + 1));
        for size in [1, 1000, HEAD, 2 * HEAD] {
            assert_eq!(exchange(most.chunks(size)), (OK.to_owned(), true));
            let (answer, goes_on) = exchange(over.chunks(size));
            assert!(!goes_on && answer.starts_with("HTTP/1.1 431 "), "{answer}");
        }
        assert_eq!(refused(&[b'A'; HEAD]), "431");
        let fields = |n| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(n));
        assert!(answers(&fields(FIELDS - 1)).1);
        assert_eq!(refused(fields(FIELDS).as_bytes()), "431");
    }

    #[test]
    fn a_refusal_of_head_has_no_body() {
        let (answer, _) = answers("HEAD / HTTP/1.1\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    }

    #[test]
    fn an_unfinished_request_is_told_of() {
        for (request, status) in [
            ("", ""),
            ("\r\n", ""),
            ("GET /", "HTTP/1.1 400 "),
            ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na", "HTTP/1.1 400 "),
        ] {
            let (mut http, mut out) = (Http::default(), Vec::new());
            assert!(http.take(request.as_bytes(), &mut out) && !http.end(&mut out));
            let answer = String::from_utf8(out).unwrap();
            assert!(answer.starts_with(status) && answer.is_empty() == status.is_empty(), "{answer}");
        }
    }
}
