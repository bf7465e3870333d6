//! Command lines that make no sense: what is wrong, where, and what would be right.

use crate::support::Fdscope;

#[track_caller]
fn refused(arguments: &[&str], told: &str) {
    let run = arguments.iter().fold(Fdscope::new("sockets"), |run, argument| run.arg(argument)).run();
    run.check(2, told).prints("");
}

#[test]
fn filters() {
    const FORMS: &str =
        "a FILTER is ADDRESS, ADDRESS:PORT, :PORT, NETWORK/BITS, [IPV6]:PORT, unix:PATH, /PATH, @NAME";
    for (filter, told) in [
        ("8080", "'8080' is not an address; a port has a colon in front: ':8080'"),
        ("localhost:80", "'localhost' is not an IP address"),
        ("10.0.0.0/33", "'/33' is not a number of bits from 0 to 32"),
        ("::/129", "'/129' is not a number of bits from 0 to 128"),
        (":http", "'http' is not a port from 0 to 65535"),
        (":65536", "'65536' is not a port from 0 to 65535"),
        (":-1", "'' is not a port from 0 to 65535"),
        (":90-80", "ports are from the lower to the higher, not 90-80"),
        ("[::1", "'[::1' lacks a ]"),
        ("[::1]80", "'80' behind the address is not a colon and a port"),
        ("unix:", "behind 'unix:' comes a path, or @ and a name"),
        ("vsock:host", "'host' is no number of vsock"),
        ("fe80::1%", "behind % comes the name of an interface"),
        (":", "'' is not a port"),
        ("", "nothing is said"),
    ] {
        refused(&[filter], told);
        refused(&["--remote", filter], told);
        refused(&[filter], FORMS);
    }
}

#[test]
fn words() {
    refused(&["--state", "lissen"], "a similar value exists: 'listen'");
    refused(&["--state", "open"], "[possible values: established, connected,");
    refused(&["--state", ""], "[possible values: ");
    refused(&["--family", "tcp5"], "a similar value exists: 'tcp'");
    refused(&["--family", "inet,unixx"], "invalid value 'unixx'");
    for port in ["0", "65536", "http", "-1", "80-90", ""] {
        refused(&[&format!("--port={port}")], "a port is a number from 1 to 65535");
    }
    refused(&["--process", "0"], "pids are from 1 to 2147483647");
    refused(&["--netns"], "a value is required for '--netns <NETNS>'");
    refused(&["--format", "xml"], "[possible values: table, json, jsonl, tsv, trace, dot]");
    refused(&["--format", "trace"], "--format trace is a format of fdscope watch alone");
    refused(&["--listening", "--state", "listen"], "cannot be used with");
    refused(&["--summary", "--wide"], "cannot be used with");
    refused(&["--wide", "--columns", "local"], "cannot be used with");
    refused(&["--nonsense"], "unexpected argument '--nonsense'");
}

#[test]
fn expressions() {
    refused(
        &["--where", "local_port >"],
        "--where: mismatched input end of the expression\n  local_port >\n",
    );
    refused(&["--where", "portt == 1"], "--where: there is no field 'portt'");
    refused(&["--where", "tcp.rrt > 0.1"], "there is no field 'tcp.rrt'; did you mean 'tcp.rtt'?");
    refused(&["--where", "state"], "--where: the expression is a string, not a condition");
    refused(&["--where", "\""], "--where: ");
    refused(&["--where", ""], "--where: ");
}

/// Only when records are asked it is seen that none can be.
#[test]
fn an_expression_that_no_record_can_be_asked() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    let run = Fdscope::new("sockets -q --port").arg(port).arg("--where").arg("family + 1 == 2").run();
    run.check(2, "--where: no record can be asked this: ");
}
