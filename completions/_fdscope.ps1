
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'fdscope' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'fdscope'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'fdscope' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the heading of tables and TSV')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List what processes hold open')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List what processes hold open')
            [CompletionResult]::new('peers', 'peers', [CompletionResultType]::ParameterValue, 'Show who is connected with whom, through what, and what nobody reads')
            [CompletionResult]::new('limits', 'limits', [CompletionResultType]::ParameterValue, 'Show resource limits, and how much of them is used')
            [CompletionResult]::new('listen', 'listen', [CompletionResultType]::ParameterValue, 'Listen with a chosen backlog, and watch the accept queue')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Watch fds become ready, and see how long they wait for it to be noticed')
            break
        }
        'fdscope;list' {
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Only processes of this user, by name or number')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Only processes of this user, by name or number')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Only these kinds, or groups of kinds, such as tcp,pipe or socket')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only these kinds, or groups of kinds, such as tcp,pipe or socket')
            [CompletionResult]::new('--fd', '--fd', [CompletionResultType]::ParameterName, 'Only these fd numbers, such as 0,3-7')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Only this file, or this directory and all below it, however it is held')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Only sockets whose own port is this: the serving end, not clients')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Only sockets whose own port is this: the serving end, not clients')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Only what this is true of: ''regular.size > 10M''; see fdscope-list(1)')
            [CompletionResult]::new('--where', '--where', [CompletionResultType]::ParameterName, 'Only what this is true of: ''regular.size > 10M''; see fdscope-list(1)')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--deleted', '--deleted', [CompletionResultType]::ParameterName, 'Only deleted files that are still held, and so still take space')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Also working directory, root directory and program (cwd, root, exe)')
            [CompletionResult]::new('--assoc', '--assoc', [CompletionResultType]::ParameterName, 'Also working directory, root directory and program (cwd, root, exe)')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Also mapped files')
            [CompletionResult]::new('--mappings', '--mappings', [CompletionResultType]::ParameterName, 'Also mapped files')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Also threads that have an fd table of their own')
            [CompletionResult]::new('--peers', '--peers', [CompletionResultType]::ParameterName, 'Also who is at the other end of pipes, sockets, terminals and the like; for that, the fds of all processes are looked at once')
            [CompletionResult]::new('--wide', '--wide', [CompletionResultType]::ParameterName, 'More fields: user, uid, assoc, flags, pos, inode, device, mount')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Count by process and kind, instead of listing')
            [CompletionResult]::new('--pids', '--pids', [CompletionResultType]::ParameterName, 'Print only pids, one a line, for kill(1) and the like')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the heading of tables and TSV')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'fdscope;ls' {
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Only processes of this user, by name or number')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Only processes of this user, by name or number')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Only these kinds, or groups of kinds, such as tcp,pipe or socket')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only these kinds, or groups of kinds, such as tcp,pipe or socket')
            [CompletionResult]::new('--fd', '--fd', [CompletionResultType]::ParameterName, 'Only these fd numbers, such as 0,3-7')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Only this file, or this directory and all below it, however it is held')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Only sockets whose own port is this: the serving end, not clients')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Only sockets whose own port is this: the serving end, not clients')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Only what this is true of: ''regular.size > 10M''; see fdscope-list(1)')
            [CompletionResult]::new('--where', '--where', [CompletionResultType]::ParameterName, 'Only what this is true of: ''regular.size > 10M''; see fdscope-list(1)')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--deleted', '--deleted', [CompletionResultType]::ParameterName, 'Only deleted files that are still held, and so still take space')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Also working directory, root directory and program (cwd, root, exe)')
            [CompletionResult]::new('--assoc', '--assoc', [CompletionResultType]::ParameterName, 'Also working directory, root directory and program (cwd, root, exe)')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Also mapped files')
            [CompletionResult]::new('--mappings', '--mappings', [CompletionResultType]::ParameterName, 'Also mapped files')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Also threads that have an fd table of their own')
            [CompletionResult]::new('--peers', '--peers', [CompletionResultType]::ParameterName, 'Also who is at the other end of pipes, sockets, terminals and the like; for that, the fds of all processes are looked at once')
            [CompletionResult]::new('--wide', '--wide', [CompletionResultType]::ParameterName, 'More fields: user, uid, assoc, flags, pos, inode, device, mount')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Count by process and kind, instead of listing')
            [CompletionResult]::new('--pids', '--pids', [CompletionResultType]::ParameterName, 'Print only pids, one a line, for kill(1) and the like')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the heading of tables and TSV')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'fdscope;peers' {
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Only these kinds, or groups of kinds, such as pipe,unix or socket')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only these kinds, or groups of kinds, such as pipe,unix or socket')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Follow from the TARGET to its peers, to their peers, and so on, so many steps')
            [CompletionResult]::new('--depth', '--depth', [CompletionResultType]::ParameterName, 'Follow from the TARGET to its peers, to their peers, and so on, so many steps')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Look again and again for so long, such as 2s, and say who has read nothing of what lay there')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--stuck', '--stuck', [CompletionResultType]::ParameterName, 'Only connections of which somebody has read nothing meanwhile')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the heading of tables and TSV')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'fdscope;limits' {
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Set a limit of the TARGETs, such as nofile=4096 or nofile=4096:8192 (soft:hard)')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order of --all')
            [CompletionResult]::new('--top', '--top', [CompletionResultType]::ParameterName, 'Only the first N of --all')
            [CompletionResult]::new('--fail-above', '--fail-above', [CompletionResultType]::ParameterName, 'Exit with 1 if a process shown uses more than this of its nofile limit')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'One line a process: open fds against their limit, the nearest to it first')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'One line a process: open fds against their limit, the nearest to it first')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'Limits of the whole machine, and constants such as FD_SETSIZE')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the heading of tables and TSV')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'fdscope;listen' {
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'How many connections may wait: what listen(2) is given. The kernel admits one more, and keeps no more than net.core.somaxconn, which is also what -1 and the default mean')
            [CompletionResult]::new('--backlog', '--backlog', [CompletionResultType]::ParameterName, 'How many connections may wait: what listen(2) is given. The kernel admits one more, and keeps no more than net.core.somaxconn, which is also what -1 and the default mean')
            [CompletionResult]::new('--fd', '--fd', [CompletionResultType]::ParameterName, 'Take over a listener that is open already, by its number, or ''systemd'' for those of LISTEN_FDS')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Type of unix sockets')
            [CompletionResult]::new('--defer-accept', '--defer-accept', [CompletionResultType]::ParameterName, 'Let connections wait for their first data, for so many seconds (TCP_DEFER_ACCEPT)')
            [CompletionResult]::new('--fast-open', '--fast-open', [CompletionResultType]::ParameterName, 'Let so many connections bring data before their handshake is over (TCP_FASTOPEN)')
            [CompletionResult]::new('--recv-buffer', '--recv-buffer', [CompletionResultType]::ParameterName, 'Receive buffer of the connections, such as 64K (SO_RCVBUF)')
            [CompletionResult]::new('--send-buffer', '--send-buffer', [CompletionResultType]::ParameterName, 'Send buffer of the connections, such as 64K (SO_SNDBUF)')
            [CompletionResult]::new('--mode', '--mode', [CompletionResultType]::ParameterName, 'Permissions of a socket file, such as 0600')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'How many connections to accept: all, none (the queue fills), or a number')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'How many connections to accept: all, none (the queue fills), or a number')
            [CompletionResult]::new('--accept-rate', '--accept-rate', [CompletionResultType]::ParameterName, 'Accept no faster than this, such as 5/s or 10/min')
            [CompletionResult]::new('--accept-delay', '--accept-delay', [CompletionResultType]::ParameterName, 'Wait so long before each connection is accepted, such as 200ms, one after the other')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'What to do with accepted connections: discard (the default), echo, hold, close, send=FILE or http')
            [CompletionResult]::new('--serve', '--serve', [CompletionResultType]::ParameterName, 'What to do with accepted connections: discard (the default), echo, hold, close, send=FILE or http')
            [CompletionResult]::new('--exec', '--exec', [CompletionResultType]::ParameterName, 'Run a shell command for each connection, with the connection as its standard input and output')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Who serves a connection')
            [CompletionResult]::new('--max-children', '--max-children', [CompletionResultType]::ParameterName, 'Accept no more while so many children run, of --exec or --model processes')
            [CompletionResult]::new('--fd-name', '--fd-name', [CompletionResultType]::ParameterName, 'Names of the listeners to COMMAND, in their order (LISTEN_FDNAMES)')
            [CompletionResult]::new('--watch-only', '--watch-only', [CompletionResultType]::ParameterName, 'Only watch the queue of somebody else''s listener: PID:FD, or all TCP listeners on a PORT')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'How often to look at the queue; one''s own is also looked at when a connection comes')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write events to a file instead of standard output')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write events to a file instead of standard output')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'End after this time, with status 124; a COMMAND gets SIGTERM then')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End after this time, with status 124; a COMMAND gets SIGTERM then')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'End after so many connections were accepted and have ended; where fdscope accepts none, after so many changes of a queue')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End after so many connections were accepted and have ended; where fdscope accepts none, after so many changes of a queue')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--reuse-port', '--reuse-port', [CompletionResultType]::ParameterName, 'Share the port with other listeners that do so too (SO_REUSEPORT)')
            [CompletionResult]::new('--no-reuse-address', '--no-reuse-address', [CompletionResultType]::ParameterName, 'Do not take a port that connections of an earlier listener still have (no SO_REUSEADDR)')
            [CompletionResult]::new('--v6-only', '--v6-only', [CompletionResultType]::ParameterName, 'IPv6 only, where IPv4 would be served too (IPV6_V6ONLY)')
            [CompletionResult]::new('--nonblocking', '--nonblocking', [CompletionResultType]::ParameterName, 'Make the listeners non-blocking; the default with --model event-loop')
            [CompletionResult]::new('--blocking', '--blocking', [CompletionResultType]::ParameterName, 'Make the listeners blocking; the default otherwise')
            [CompletionResult]::new('--accept-on-signal', '--accept-on-signal', [CompletionResultType]::ParameterName, 'Accept one connection for each SIGUSR1')
            [CompletionResult]::new('--inetd', '--inetd', [CompletionResultType]::ParameterName, 'Serve one connection, which is standard input and output: for inetd(8) and the like')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the heading of tables and TSV')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'fdscope;watch' {
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'The selector to look with; with several, all look at the same moments')
            [CompletionResult]::new('--with', '--with', [CompletionResultType]::ParameterName, 'The selector to look with; with several, all look at the same moments')
            [CompletionResult]::new('--trigger', '--trigger', [CompletionResultType]::ParameterName, 'What is reported: what is in force (level), what comes (edge), or the first that comes (oneshot); only level tells when it is over [default: level, with mio edge]')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Which conditions to ask for: in, out, pri, rdhup [default: out for what is open for writing alone, in,pri,rdhup otherwise, and out too for what is connected to]')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Which conditions to ask for: in, out, pri, rdhup [default: out for what is open for writing alone, in,pri,rdhup otherwise, and out too for what is connected to]')
            [CompletionResult]::new('--interval', '--interval', [CompletionResultType]::ParameterName, 'How often to look at what cannot be waited for: whether what is ready still is, and fds of other processes by select and poll. Times are as exact as this, and shorter ones cost more')
            [CompletionResult]::new('--retry', '--retry', [CompletionResultType]::ParameterName, 'Connect again so long after a connection has failed; without, that is the end of it')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'End with status 0 when this is seen of any target')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'End with status 0 when this is seen of any target')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'End after this time, with status 124')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'End after this time, with status 124')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'End with status 0 after so many events, not counting armed, timeout and summary')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'End with status 0 after so many events, not counting armed, timeout and summary')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Output format')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'Show every return of the selector, at most one an interval, instead of what changes')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'Read and discard what comes on fdscope''s own fds, so that they become clear; never those of other processes')
            [CompletionResult]::new('--tee', '--tee', [CompletionResultType]::ParameterName, 'Copy what comes on fdscope''s own fds to standard output; events go to standard error')
            [CompletionResult]::new('--timeline', '--timeline', [CompletionResultType]::ParameterName, 'Draw a row an fd, with time running to the right: when it is readable, writable or hung up. A column is the interval, but no less than 100ms. On a terminal only; elsewhere see --format jsonl and --format trace')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the heading of tables and TSV')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr, but not errors')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
