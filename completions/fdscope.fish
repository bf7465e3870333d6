# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_fdscope_global_optspecs
    string join \n format= json jsonl no-header color= q/quiet h/help V/version
end

function __fish_fdscope_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_fdscope_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_fdscope_using_subcommand
    set -l cmd (__fish_fdscope_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c fdscope -n "__fish_fdscope_needs_command" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_needs_command" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_needs_command" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_needs_command" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_needs_command" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_needs_command" -s V -l version -d 'Print version'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "list" -d 'List what processes hold open'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "ls" -d 'List what processes hold open'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "sockets" -d 'List sockets, with who holds each and who is at its other end'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "peers" -d 'Show who is connected with whom, through what, and what nobody reads'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "limits" -d 'Show resource limits, and how much of them is used'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "threads" -d 'Show what each thread of a process waits for'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "listen" -d 'Listen with a chosen backlog, and watch the accept queue'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "loops" -d 'Show the event loops of a process, and whether they stall'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "watch" -d 'Watch fds become ready, and see how long they wait for it to be noticed'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "bench" -d 'Measure what select, poll, epoll and mio cost on this machine'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s u -l user -d 'Only processes of this user, by name or number' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s k -l kind -d 'Only these kinds, or groups of kinds, such as tcp,pipe or socket' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l fd -d 'Only these fd numbers, such as 0,3-7' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l path -d 'Only this file, or this directory and all below it, however it is held' -r -F
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s p -l port -d 'Only sockets whose own port is this: the serving end, not clients' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s w -l where -d 'Only what this is true of: \'regular.size > 10M\'; see fdscope-list(1)' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s c -l columns -d 'Which fields, in which order; +NAME adds to the usual ones, \'help\' lists all' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l deleted -d 'Only deleted files that are still held, and so still take space'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l shared -d 'Only fds that share an open file description, and with whom: one listener, offset, O_NONBLOCK'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s a -l assoc -d 'Also working directory, root directory and program (cwd, root, exe)'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s m -l mappings -d 'Also mapped files'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l threads -d 'Also threads that have an fd table of their own'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l peers -d 'Also who is at the other end of pipes, sockets, terminals and the like; for that, the fds of all processes are looked at once'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l wide -d 'More fields: user, uid, assoc, flags, pos, inode, device, mount'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l count -d 'Count by process and kind, instead of listing'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l pids -d 'Print only pids, one a line, for kill(1) and the like'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s u -l user -d 'Only processes of this user, by name or number' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s k -l kind -d 'Only these kinds, or groups of kinds, such as tcp,pipe or socket' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l fd -d 'Only these fd numbers, such as 0,3-7' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l path -d 'Only this file, or this directory and all below it, however it is held' -r -F
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s p -l port -d 'Only sockets whose own port is this: the serving end, not clients' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s w -l where -d 'Only what this is true of: \'regular.size > 10M\'; see fdscope-list(1)' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s c -l columns -d 'Which fields, in which order; +NAME adds to the usual ones, \'help\' lists all' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l deleted -d 'Only deleted files that are still held, and so still take space'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l shared -d 'Only fds that share an open file description, and with whom: one listener, offset, O_NONBLOCK'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s a -l assoc -d 'Also working directory, root directory and program (cwd, root, exe)'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s m -l mappings -d 'Also mapped files'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l threads -d 'Also threads that have an fd table of their own'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l peers -d 'Also who is at the other end of pipes, sockets, terminals and the like; for that, the fds of all processes are looked at once'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l wide -d 'More fields: user, uid, assoc, flags, pos, inode, device, mount'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l count -d 'Count by process and kind, instead of listing'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l pids -d 'Print only pids, one a line, for kill(1) and the like'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -s s -l state -d 'Only these states' -r -f -a "established\t''
connected\t''
syn-sent\t''
connecting\t''
syn-recv\t''
fin-wait-1\t''
fin-wait-2\t''
time-wait\t''
close\t''
unconnected\t''
close-wait\t''
last-ack\t''
listen\t''
closing\t''"
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -s f -l family -d 'Only these families; tcp, udp and the like take both IPv4 and IPv6' -r -f -a "tcp\t''
tcp4\t''
udp\t''
udp4\t''
udplite\t''
raw\t''
ping\t''
mptcp\t''
inet\t''
tcp6\t''
udp6\t''
unix\t''
netlink\t''
packet\t''
raw6\t''
ping6\t''
udplite6\t''
mptcp6\t''
vsock\t''"
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -s p -l port -d 'Only sockets whose own port is this' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l remote -d 'Only sockets whose other end is here, written like a FILTER' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l process -d 'Only sockets that this process holds: a pid, PID:FDS or a command name' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l netns -d 'Only this network namespace: its name, its inode, a process in it, or \'own\'' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -s w -l where -d 'Only what this is true of: \'tcp.retransmits > 0\'; see fdscope-sockets(1)' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -s c -l columns -d 'Which fields, in which order; +NAME adds to the usual ones, \'help\' lists all' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -s l -l listening -d 'Only listeners, with how many connections wait and how many may'
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l wide -d 'More fields: type, user, inode, timers, memory, round-trip times, retransmits and others'
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l summary -d 'Count by family and state, instead of listing'
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l close -d 'Close what is selected, as if a reset had come (SOCK_DESTROY): TCP and UDP only'
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -s y -l yes -d 'Do not ask before closing'
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_using_subcommand sockets" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -s k -l kind -d 'Only these kinds, or groups of kinds, such as pipe,unix or socket' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -s d -l depth -d 'Follow from the TARGET to its peers, to their peers, and so on, so many steps' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -l for -d 'Look again and again for so long, such as 2s, and say who has read nothing of what lay there' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -l stuck -d 'Only connections of which somebody has read nothing meanwhile'
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_using_subcommand peers" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l set -d 'Set a limit of the TARGETs, such as nofile=4096 or nofile=4096:8192 (soft:hard)' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l sort -d 'Order of --all' -r -f -a "percent\t'The nearest to its limit first'
used\t'The most open fds first'
soft\t'The lowest limit first'
pid\t'By pid'
command\t'By command name'"
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l top -d 'Only the first N of --all' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l fail-above -d 'Exit with 1 if a process shown uses more than this of its nofile limit' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -s c -l columns -d 'Which fields, in which order; +NAME adds to the usual ones, \'help\' lists all' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -s a -l all -d 'One line a process: open fds against their limit, the nearest to it first'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l system -d 'Limits of the whole machine, and constants such as FD_SETSIZE'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -s s -l sample -d 'Look again and again for this long, and show in how many of the looks each thread was seen in what' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -l interval -d 'How often to look, on average' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -s w -l where -d 'Only threads of which this is true: \'call == "futex"\'; see fdscope-threads(1)' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -s c -l columns -d 'Which fields, in which order; +NAME adds to the usual ones, \'help\' lists all' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -l peers -d 'Also who is at the other end of pipes, sockets and the like, for which all processes are looked through'
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_using_subcommand threads" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -s b -l backlog -d 'How many connections may wait: what listen(2) is given. The kernel admits one more, and keeps no more than net.core.somaxconn, which is also what -1 and the default mean' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l fd -d 'Take over a listener that is open already, by its number, or \'systemd\' for those of LISTEN_FDS' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l type -d 'Type of unix sockets' -r -f -a "stream\t'A stream of bytes'
seqpacket\t'Messages, in order'"
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l defer-accept -d 'Let connections wait for their first data, for so many seconds (TCP_DEFER_ACCEPT)' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l fast-open -d 'Let so many connections bring data before their handshake is over (TCP_FASTOPEN)' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l recv-buffer -d 'Receive buffer of the connections, such as 64K (SO_RCVBUF)' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l send-buffer -d 'Send buffer of the connections, such as 64K (SO_SNDBUF)' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l mode -d 'Permissions of a socket file, such as 0600' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -s a -l accept -d 'How many connections to accept: all, none (the queue fills), or a number' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l accept-rate -d 'Accept no faster than this, such as 5/s or 10/min' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l accept-delay -d 'Wait so long before each connection is accepted, such as 200ms, one after the other' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -s s -l serve -d 'What to do with accepted connections: discard (the default), echo, hold, close, send=FILE, http or compute' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l exec -d 'Run a shell command for each connection, with the connection as its standard input and output' -r -f -a "(__fish_complete_command)"
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l model -d 'Who serves a connection' -r -f -a "threads\t'A thread each, which waits for it alone'
processes\t'A process each, which waits for it alone'
event-loop\t'One thread, which waits for all of them at once'"
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l max-children -d 'Accept no more while so many children run, of --exec or --model processes' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l fd-name -d 'Names of the listeners to COMMAND, in their order (LISTEN_FDNAMES)' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l watch-only -d 'Only watch the queue of somebody else\'s listener: PID:FD, or all TCP listeners on a PORT' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l interval -d 'How often to look at the queue; one\'s own is also looked at when a connection comes' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -s o -l output -d 'Write events to a file instead of standard output' -r -F
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -s t -l timeout -d 'End after this time, with status 124; a COMMAND gets SIGTERM then' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -s n -l count -d 'End after so many connections were accepted and have ended; where fdscope accepts none, after so many changes of a queue' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l reuse-port -d 'Share the port with other listeners that do so too (SO_REUSEPORT)'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l no-reuse-address -d 'Do not take a port that connections of an earlier listener still have (no SO_REUSEADDR)'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l v6-only -d 'IPv6 only, where IPv4 would be served too (IPV6_V6ONLY)'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l nonblocking -d 'Make the listeners non-blocking; the default with --model event-loop'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l blocking -d 'Make the listeners blocking; the default otherwise'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l accept-on-signal -d 'Accept one connection for each SIGUSR1; those that come before the last was taken are one'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l inetd -d 'Serve one connection, which is standard input and output: for inetd(8) and the like'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_using_subcommand listen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -l for -d 'Judge the loops for this long; status 1 if one stalled' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -l stall -d 'A loop that serves nothing for this long, though something waits, is stalled' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -l interval -d 'How often to look. Times are as exact as this. Where looking would take more than a tenth of the time, it is done less often, which is said' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -l watch -d 'Judge the loops until SIGINT, or until the processes have ended'
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -s a -l all -d 'List all that a loop watches: without, of more than 20 fds, those that are ready or stale and some of the others. JSON always has all'
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_using_subcommand loops" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -s w -l with -d 'The selector to look with; with several, all look at the same moments' -r -f -a "auto\t'epoll; what epoll refuses is shown as what it is'
select\t'select(2)'
poll\t'poll(2)'
epoll\t'epoll(7)'
mio\t'mio, which is edge-triggered epoll in Rust\'s event loops'"
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l trigger -d 'What is reported: what is in force (level), what comes (edge), or the first that comes (oneshot); only level tells when it is over [default: level, with mio edge]' -r -f -a "level\t'At every wait, for as long as it is'
edge\t'Once it comes into force, and again when more arrives'
oneshot\t'Once, then nothing, not even hup, until the registration is modified'"
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -s e -l events -d 'Which conditions to ask for: in, out, pri, rdhup [default: out for what is open for writing alone, in,pri,rdhup otherwise, and out too for what is connected to]' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l interval -d 'How often to look at what cannot be waited for: whether what is ready still is, and fds of other processes by select and poll. Times are as exact as this, and shorter ones cost more' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l retry -d 'Connect again so long after a connection has failed; without, that is the end of it' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -s u -l until -d 'End with status 0 when this is seen of any target' -r -f -a "ready\t'A condition comes'
clear\t'A condition goes'
hup\t'The other end hangs up'
closed\t'It is closed, or its process ends'
error\t'An error is pending'"
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -s t -l timeout -d 'End after this time, with status 124' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -s n -l count -d 'End with status 0 after so many events, not counting armed, timeout and summary' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l repeat -d 'Show every return of the selector, at most one an interval, instead of what changes'
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l drain -d 'Read and discard what comes on fdscope\'s own fds, so that they become clear; never those of other processes'
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l tee -d 'Copy what comes on fdscope\'s own fds to standard output; events go to standard error'
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l timeline -d 'Draw a row an fd, with time running to the right: when it is readable, writable or hung up. A column is the interval, but no less than 100ms. On a terminal only; elsewhere see --format jsonl and --format trace'
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s s -l selector -d 'Which selectors; epoll means level, edge and oneshot [default: all]' -r -f -a "select\t'select(2), by the raw call, which takes any number of fds'
poll\t'poll(2)'
epoll\t'epoll(7): level, edge and oneshot'
epoll-level\t'epoll, which reports what is in force at every wait'
epoll-edge\t'epoll, which reports what comes'
epoll-oneshot\t'epoll, which reports once, and has to be armed again'
mio\t'mio, which is edge-triggered epoll in Rust\'s event loops'"
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s f -l fds -d 'How many fds are watched [default: 10,100,1000,10000]' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s a -l active -d 'How many of them become ready at a time [default: 1,100]' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s k -l kind -d 'What the fds are' -r -f -a "pipe\t'Read ends of pipes; two fds each'
socketpair\t'Unix stream sockets, connected with another; two fds each'
eventfd\t'eventfd(2); one fd each'"
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s r -l runs -d 'How often everything is measured; the median is shown' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l for -d 'For how long all in all, about; with --servers 9s unless it is given, and their start' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s m -l model -d 'Which models of fdscope listen [default: all]' -r -f -a "threads\t'A thread each, which waits for it alone'
processes\t'A process each, which waits for it alone'
event-loop\t'One thread, which waits for all of them at once'"
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s l -l load -d 'What the clients do [default: all]' -r -f -a "echo\t'Ask again and again over connections that are kept, and get the same back'
connect\t'The same, with a new connection for each request'
compute\t'As echo, but some requests have to be computed'"
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s c -l connections -d 'How many connections are open [default: 10,100,1000]' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s b -l busy -d 'How many of them ask, each again as soon as it has its answer; all, if there are fewer' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l clients -d 'How many threads the clients have [default: half as many as there are processors]' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l compute -d 'How long the server computes, in compute: time of a processor, for each request of --computing' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l computing -d 'How many of the busy connections have every request computed, in compute' -r
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l plot -d 'Draw it into this file, as SVG; not with --servers' -r -F
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l format -d 'Output format' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document'
jsonl\t'A JSON record a line, as it is found'
tsv\t'Tab-separated, escaped, for cut and awk'
trace\t'Trace events (JSON), for ui.perfetto.dev and chrome://tracing; of watch alone'
dot\t'A graph in the language of graphviz, for dot(1); of peers alone'"
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l servers -d 'Measure servers instead: threads, processes and an event loop, with the same small service'
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s q -l quiet -d 'Leave out notes on stderr, but not errors; with watch also its lines, but not records'
complete -c fdscope -n "__fish_fdscope_using_subcommand bench" -s h -l help -d 'Print help (see more with \'--help\')'
