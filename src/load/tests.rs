use super::{Answers, Bounds, Clients, Crowd, Failure, Lines, Mode};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// What a server has seen.
#[derive(Default)]
struct Seen {
    connections: AtomicU64,
    lines: AtomicU64,
}

/// A server that gives an answer to each line.
fn serve(answer: fn(&str) -> String) -> (SocketAddr, Arc<Seen>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Seen::default());
    let counted = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, counted) = (stream.unwrap(), Arc::clone(&counted));
            counted.connections.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || talk(&stream, answer, &counted));
        }
    });
    (address, seen)
}

fn talk(mut stream: &TcpStream, answer: fn(&str) -> String, seen: &Seen) -> io::Result<()> {
    for line in BufReader::new(stream).lines() {
        seen.lines.fetch_add(1, Ordering::SeqCst);
        stream.write_all(answer(&line?).as_bytes())?;
    }
    Ok(())
}

fn back(line: &str) -> String {
    format!("{line}\n")
}

fn clients(server: SocketAddr, crowd: Crowd) -> Clients<Lines> {
    Clients::new(server, Lines { time: "1ms".to_owned(), heavy: 1 }, crowd, None).unwrap()
}

fn crowd(connections: usize, busy: usize, mode: Mode, threads: usize) -> Crowd {
    Crowd { connections, busy, mode, threads }
}

fn ask(clients: &mut Clients<Lines>, questions: u64) -> Result<Answers, Failure> {
    clients.run(Bounds { time: Duration::from_secs(60), questions })
}

#[test]
fn every_question_is_counted() {
    for threads in [1, 3] {
        let (server, seen) = serve(back);
        // A heavy one in each thread: whichever comes first, it asks.
        let lines = Lines { time: "1ms".to_owned(), heavy: 3 };
        let mut clients = Clients::new(server, lines, crowd(100, 7, Mode::Kept, threads), None).unwrap();
        let mut told = Vec::new();
        clients.open(&mut |n| told.push(n)).unwrap();
        assert_eq!(told.last(), Some(&100));
        assert_eq!(seen.connections.load(Ordering::SeqCst), 100);
        assert_eq!(seen.lines.load(Ordering::SeqCst), 100);
        let answers = ask(&mut clients, 500).unwrap();
        assert_eq!((answers.count(), answers.in_time + answers.heavy_in_time), (500, 500));
        assert!(answers.heavy > 0 && answers.usual.count() > 0);
        assert!(answers.rate() > 0.0 && answers.heavy_rate() > 0.0 && answers.busy > 0.0);
        assert_eq!(seen.lines.load(Ordering::SeqCst), 600);
        assert_eq!(ask(&mut clients, 0).unwrap().count(), 0);
        assert_eq!(seen.connections.load(Ordering::SeqCst), 100);
    }
}

#[test]
fn a_connection_for_each_question() {
    let (server, seen) = serve(back);
    let mut clients = clients(server, crowd(5, 5, Mode::Renewed, 2));
    clients.open(&mut |_| {}).unwrap();
    assert_eq!(ask(&mut clients, 200).unwrap().count(), 200);
    assert_eq!(seen.connections.load(Ordering::SeqCst), 200);
    assert_eq!(seen.lines.load(Ordering::SeqCst), 200);
}

#[test]
fn the_last_questions_are_answered_after_the_time() {
    let (server, _) = serve(back);
    let mut clients = clients(server, crowd(4, 4, Mode::Kept, 1));
    clients.open(&mut |_| {}).unwrap();
    let answers = clients.run(Bounds { time: Duration::from_millis(20), questions: u64::MAX }).unwrap();
    assert!(answers.count() >= 4 && answers.in_time + answers.heavy_in_time <= answers.count());
    assert!(answers.time <= Duration::from_millis(20));
    // Nothing is left of them that the next ones would take for theirs.
    assert_eq!(ask(&mut clients, 100).unwrap().count(), 100);
}

#[test]
fn wrong_answers_are_found_out() {
    for answer in [|line: &str| format!("{}x\n", &line[1..]), |line: &str| format!("{line}\n\n")] {
        let (server, _) = serve(answer);
        let mut clients = clients(server, crowd(3, 3, Mode::Kept, 1));
        // What comes too much may come after the answer, and is found before the next one then.
        let outcome = clients.open(&mut |_| {}).and_then(|()| ask(&mut clients, 1000).map(drop));
        assert!(
            matches!(&outcome, Err(Failure::Wrong(text)) if text == "an answer is not what was asked"),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_server_that_is_not_there() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let outcome = clients(free, crowd(2, 2, Mode::Kept, 1)).open(&mut |_| {});
    assert!(
        matches!(&outcome, Err(Failure::Io(e)) if e.kind() == io::ErrorKind::ConnectionRefused),
        "{outcome:?}"
    );
}

#[test]
fn a_server_that_goes_away() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let server = listener.local_addr().unwrap();
    thread::spawn(move || drop(listener.accept().unwrap()));
    let outcome = clients(server, crowd(1, 1, Mode::Kept, 1)).open(&mut |_| {});
    assert!(outcome.is_err(), "{outcome:?}");
}

#[test]
fn it_stops_when_it_is_told_to() {
    let (server, _) = serve(back);
    let (reader, mut writer) = io::pipe().unwrap();
    let lines = Lines { time: String::new(), heavy: 0 };
    let mut clients = Clients::new(server, lines, crowd(4, 4, Mode::Kept, 2), Some(reader.as_fd())).unwrap();
    clients.open(&mut |_| {}).unwrap();
    writer.write_all(b"x").unwrap();
    let outcome = clients.run(Bounds { time: Duration::from_secs(600), questions: u64::MAX });
    assert!(matches!(outcome, Err(Failure::Interrupted)), "{outcome:?}");
}
