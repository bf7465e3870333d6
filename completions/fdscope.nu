module completions {

  def "nu-complete fdscope format" [] {
    [ "table" "json" "jsonl" "tsv" "trace" "dot" ]
  }

  def "nu-complete fdscope color" [] {
    [ "auto" "always" "never" ]
  }

  # Show what a running process holds open, how near it is to its limits, and whether it keeps up
  export extern fdscope [
    --format: string@"nu-complete fdscope format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors; with watch also its lines, but not records
    --help(-h)                # Print help (see more with '--help')
    --version(-V)             # Print version
  ]

  def "nu-complete fdscope list format" [] {
    [ "table" "json" "jsonl" "tsv" "trace" "dot" ]
  }

  def "nu-complete fdscope list color" [] {
    [ "auto" "always" "never" ]
  }

  # List what processes hold open
  export extern "fdscope list" [
    --user(-u): string        # Only processes of this user, by name or number
    --kind(-k): string        # Only these kinds, or groups of kinds, such as tcp,pipe or socket
    --fd: string              # Only these fd numbers, such as 0,3-7
    --path: path              # Only this file, or this directory and all below it, however it is held
    --port(-p): string        # Only sockets whose own port is this: the serving end, not clients
    --deleted                 # Only deleted files that are still held, and so still take space
    --where(-w): string       # Only what this is true of: 'regular.size > 10M'; see fdscope-list(1)
    --shared                  # Only fds that share an open file description, and with whom: one listener, offset, O_NONBLOCK
    --assoc(-a)               # Also working directory, root directory and program (cwd, root, exe)
    --mappings(-m)            # Also mapped files
    --threads                 # Also threads that have an fd table of their own
    --peers                   # Also who is at the other end of pipes, sockets, terminals and the like; for that, the fds of all processes are looked at once
    --columns(-c): string     # Which fields, in which order; +NAME adds to the usual ones, 'help' lists all
    --wide                    # More fields: user, uid, assoc, flags, pos, inode, device, mount
    --count                   # Count by process and kind, instead of listing
    --pids                    # Print only pids, one a line, for kill(1) and the like
    --format: string@"nu-complete fdscope list format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope list color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors; with watch also its lines, but not records
    --help(-h)                # Print help (see more with '--help')
    ...targets: string        # A pid, 'self', PID:FDS such as 4242:0,3-7, or a command name
  ]

  def "nu-complete fdscope sockets state" [] {
    [ "established" "connected" "syn-sent" "connecting" "syn-recv" "fin-wait-1" "fin-wait-2" "time-wait" "close" "unconnected" "close-wait" "last-ack" "listen" "closing" ]
  }

  def "nu-complete fdscope sockets family" [] {
    [ "tcp" "tcp4" "udp" "udp4" "udplite" "raw" "ping" "mptcp" "inet" "tcp6" "udp6" "unix" "netlink" "packet" "raw6" "ping6" "udplite6" "mptcp6" "vsock" ]
  }

  def "nu-complete fdscope sockets format" [] {
    [ "table" "json" "jsonl" "tsv" "trace" "dot" ]
  }

  def "nu-complete fdscope sockets color" [] {
    [ "auto" "always" "never" ]
  }

  # List sockets, with who holds each and who is at its other end
  export extern "fdscope sockets" [
    --listening(-l)           # Only listeners, with how many connections wait and how many may
    --state(-s): string@"nu-complete fdscope sockets state" # Only these states
    --family(-f): string@"nu-complete fdscope sockets family" # Only these families; tcp, udp and the like take both IPv4 and IPv6
    --port(-p): string        # Only sockets whose own port is this
    --remote: string          # Only sockets whose other end is here, written like a FILTER
    --process: string         # Only sockets that this process holds: a pid, PID:FDS or a command name
    --netns: string           # Only this network namespace: its name, its inode, a process in it, or 'own'
    --where(-w): string       # Only what this is true of: 'tcp.retransmits > 0'; see fdscope-sockets(1)
    --columns(-c): string     # Which fields, in which order; +NAME adds to the usual ones, 'help' lists all
    --wide                    # More fields: type, user, inode, timers, memory, round-trip times, retransmits and others
    --summary                 # Count by family and state, instead of listing
    --close                   # Close what is selected, as if a reset had come (SOCK_DESTROY): TCP and UDP only
    --yes(-y)                 # Do not ask before closing
    --format: string@"nu-complete fdscope sockets format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope sockets color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors; with watch also its lines, but not records
    --help(-h)                # Print help (see more with '--help')
    ...filters: string        # Only sockets with an end here: ADDRESS, ADDRESS:PORT, :PORT, NETWORK/BITS, /PATH, @NAME or vsock:CID:PORT; several are alternatives
  ]

  def "nu-complete fdscope peers format" [] {
    [ "table" "json" "jsonl" "tsv" "trace" "dot" ]
  }

  def "nu-complete fdscope peers color" [] {
    [ "auto" "always" "never" ]
  }

  # Show who is connected with whom, through what, and what nobody reads
  export extern "fdscope peers" [
    --kind(-k): string        # Only these kinds, or groups of kinds, such as pipe,unix or socket
    --depth(-d): string       # Follow from the TARGET to its peers, to their peers, and so on, so many steps
    --for: string             # Look again and again for so long, such as 2s, and say who has read nothing of what lay there
    --stuck                   # Only connections of which somebody has read nothing meanwhile
    --format: string@"nu-complete fdscope peers format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope peers color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors; with watch also its lines, but not records
    --help(-h)                # Print help (see more with '--help')
    ...targets: string        # A pid, 'self', PID:FDS such as 4242:0,3-7, or a command name
  ]

  def "nu-complete fdscope limits sort" [] {
    [ "percent" "used" "soft" "pid" "command" ]
  }

  def "nu-complete fdscope limits format" [] {
    [ "table" "json" "jsonl" "tsv" "trace" "dot" ]
  }

  def "nu-complete fdscope limits color" [] {
    [ "auto" "always" "never" ]
  }

  # Show resource limits, and how much of them is used
  export extern "fdscope limits" [
    --all(-a)                 # One line a process: open fds against their limit, the nearest to it first
    --system                  # Limits of the whole machine, and constants such as FD_SETSIZE
    --set: string             # Set a limit of the TARGETs, such as nofile=4096 or nofile=4096:8192 (soft:hard)
    --sort: string@"nu-complete fdscope limits sort" # Order of --all
    --top: string             # Only the first N of --all
    --fail-above: string      # Exit with 1 if a process shown uses more than this of its nofile limit
    --columns(-c): string     # Which fields, in which order; +NAME adds to the usual ones, 'help' lists all
    --format: string@"nu-complete fdscope limits format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope limits color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors; with watch also its lines, but not records
    --help(-h)                # Print help (see more with '--help')
    ...targets: string        # A pid, 'self' or a command name
  ]

  def "nu-complete fdscope threads format" [] {
    [ "table" "json" "jsonl" "tsv" "trace" "dot" ]
  }

  def "nu-complete fdscope threads color" [] {
    [ "auto" "always" "never" ]
  }

  # Show what each thread of a process waits for
  export extern "fdscope threads" [
    --sample(-s): string      # Look again and again for this long, and show in how many of the looks each thread was seen in what
    --interval: string        # How often to look, on average
    --where(-w): string       # Only threads of which this is true: 'call == "futex"'; see fdscope-threads(1)
    --peers                   # Also who is at the other end of pipes, sockets and the like, for which all processes are looked through
    --columns(-c): string     # Which fields, in which order; +NAME adds to the usual ones, 'help' lists all
    --format: string@"nu-complete fdscope threads format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope threads color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors; with watch also its lines, but not records
    --help(-h)                # Print help (see more with '--help')
    ...targets: string        # A pid, 'self', PID:TIDS such as 4242:4245,4250-4260, a thread id, or a command name
  ]

  def "nu-complete fdscope listen socket_type" [] {
    [ "stream" "seqpacket" ]
  }

  def "nu-complete fdscope listen model" [] {
    [ "threads" "processes" "event-loop" ]
  }

  def "nu-complete fdscope listen format" [] {
    [ "table" "json" "jsonl" "tsv" "trace" "dot" ]
  }

  def "nu-complete fdscope listen color" [] {
    [ "auto" "always" "never" ]
  }

  # Listen with a chosen backlog, and watch the accept queue
  export extern "fdscope listen" [
    --backlog(-b): string     # How many connections may wait: what listen(2) is given. The kernel admits one more, and keeps no more than net.core.somaxconn, which is also what -1 and the default mean
    --fd: string              # Take over a listener that is open already, by its number, or 'systemd' for those of LISTEN_FDS
    --type: string@"nu-complete fdscope listen socket_type" # Type of unix sockets
    --reuse-port              # Share the port with other listeners that do so too (SO_REUSEPORT)
    --no-reuse-address        # Do not take a port that connections of an earlier listener still have (no SO_REUSEADDR)
    --v6-only                 # IPv6 only, where IPv4 would be served too (IPV6_V6ONLY)
    --defer-accept: string    # Let connections wait for their first data, for so many seconds (TCP_DEFER_ACCEPT)
    --fast-open: string       # Let so many connections bring data before their handshake is over (TCP_FASTOPEN)
    --recv-buffer: string     # Receive buffer of the connections, such as 64K (SO_RCVBUF)
    --send-buffer: string     # Send buffer of the connections, such as 64K (SO_SNDBUF)
    --nonblocking             # Make the listeners non-blocking; the default with --model event-loop
    --blocking                # Make the listeners blocking; the default otherwise
    --mode: string            # Permissions of a socket file, such as 0600
    --accept(-a): string      # How many connections to accept: all, none (the queue fills), or a number
    --accept-rate: string     # Accept no faster than this, such as 5/s or 10/min
    --accept-delay: string    # Wait so long before each connection is accepted, such as 200ms, one after the other
    --accept-on-signal        # Accept one connection for each SIGUSR1; those that come before the last was taken are one
    --serve(-s): string       # What to do with accepted connections: discard (the default), echo, hold, close, send=FILE, http or compute
    --exec: string            # Run a shell command for each connection, with the connection as its standard input and output
    --model: string@"nu-complete fdscope listen model" # Who serves a connection
    --max-children: string    # Accept no more while so many children run, of --exec or --model processes
    --inetd                   # Serve one connection, which is standard input and output: for inetd(8) and the like
    --fd-name: string         # Names of the listeners to COMMAND, in their order (LISTEN_FDNAMES)
    --watch-only: string      # Only watch the queue of somebody else's listener: PID:FD, or all TCP listeners on a PORT
    --interval: string        # How often to look at the queue; one's own is also looked at when a connection comes
    --output(-o): path        # Write events to a file instead of standard output
    --timeout(-t): string     # End after this time, with status 124; a COMMAND gets SIGTERM then
    --count(-n): string       # End after so many connections were accepted and have ended; where fdscope accepts none, after so many changes of a queue
    --format: string@"nu-complete fdscope listen format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope listen color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors; with watch also its lines, but not records
    --help(-h)                # Print help (see more with '--help')
    ...addresses: string      # HOST:PORT, :PORT for all addresses, [IPV6]:PORT, unix:PATH, unix:@NAME or vsock:CID:PORT; port 0 is any free one
  ]

  def "nu-complete fdscope loops format" [] {
    [ "table" "json" "jsonl" "tsv" "trace" "dot" ]
  }

  def "nu-complete fdscope loops color" [] {
    [ "auto" "always" "never" ]
  }

  # Show the event loops of a process, and whether they stall
  export extern "fdscope loops" [
    --for: string             # Judge the loops for this long; status 1 if one stalled
    --watch                   # Judge the loops until SIGINT, or until the processes have ended
    --stall: string           # A loop that serves nothing for this long, though something waits, is stalled
    --interval: string        # How often to look. Times are as exact as this. Where looking would take more than a tenth of the time, it is done less often, which is said
    --all(-a)                 # List all that a loop watches: without, of more than 20 fds, those that are ready or stale and some of the others. JSON always has all
    --format: string@"nu-complete fdscope loops format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope loops color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors; with watch also its lines, but not records
    --help(-h)                # Print help (see more with '--help')
    ...targets: string        # A pid, PID:FDS such as 4242:6 for the loop of that epoll fd, or a command name
  ]

  def "nu-complete fdscope watch with" [] {
    [ "auto" "select" "poll" "epoll" "mio" ]
  }

  def "nu-complete fdscope watch trigger" [] {
    [ "level" "edge" "oneshot" ]
  }

  def "nu-complete fdscope watch until" [] {
    [ "ready" "clear" "hup" "closed" "error" ]
  }

  def "nu-complete fdscope watch format" [] {
    [ "table" "json" "jsonl" "tsv" "trace" "dot" ]
  }

  def "nu-complete fdscope watch color" [] {
    [ "auto" "always" "never" ]
  }

  # Watch fds become ready, and see how long they wait for it to be noticed
  export extern "fdscope watch" [
    --with(-w): string@"nu-complete fdscope watch with" # The selector to look with; with several, all look at the same moments
    --trigger: string@"nu-complete fdscope watch trigger" # What is reported: what is in force (level), what comes (edge), or the first that comes (oneshot); only level tells when it is over [default: level, with mio edge]
    --events(-e): string      # Which conditions to ask for: in, out, pri, rdhup [default: out for what is open for writing alone, in,pri,rdhup otherwise, and out too for what is connected to]
    --interval: string        # How often to look at what cannot be waited for: whether what is ready still is, and fds of other processes by select and poll. Times are as exact as this, and shorter ones cost more
    --retry: string           # Connect again so long after a connection has failed; without, that is the end of it
    --repeat                  # Show every return of the selector, at most one an interval, instead of what changes
    --drain                   # Read and discard what comes on fdscope's own fds, so that they become clear; never those of other processes
    --tee                     # Copy what comes on fdscope's own fds to standard output; events go to standard error
    --until(-u): string@"nu-complete fdscope watch until" # End with status 0 when this is seen of any target
    --timeout(-t): string     # End after this time, with status 124
    --count(-n): string       # End with status 0 after so many events, not counting armed, timeout and summary
    --timeline                # Draw a row an fd, with time running to the right: when it is readable, writable or hung up. A column is the interval, but no less than 100ms. On a terminal only; elsewhere see --format jsonl and --format trace
    --format: string@"nu-complete fdscope watch format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope watch color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors; with watch also its lines, but not records
    --help(-h)                # Print help (see more with '--help')
    ...targets: string        # An inherited fd such as 0, PID:FDS, PID:all, NAME:FDS, a PATH to open (r:, w: or rw: before it), tcp:HOST:PORT, udp:HOST:PORT or unix:PATH to connect to
  ]

  def "nu-complete fdscope bench selector" [] {
    [ "select" "poll" "epoll" "epoll-level" "epoll-edge" "epoll-oneshot" "mio" ]
  }

  def "nu-complete fdscope bench kind" [] {
    [ "pipe" "socketpair" "eventfd" ]
  }

  def "nu-complete fdscope bench model" [] {
    [ "threads" "processes" "event-loop" ]
  }

  def "nu-complete fdscope bench load" [] {
    [ "echo" "connect" "compute" ]
  }

  def "nu-complete fdscope bench format" [] {
    [ "table" "json" "jsonl" "tsv" "trace" "dot" ]
  }

  def "nu-complete fdscope bench color" [] {
    [ "auto" "always" "never" ]
  }

  # Measure what select, poll, epoll and mio cost on this machine
  export extern "fdscope bench" [
    --selector(-s): string@"nu-complete fdscope bench selector" # Which selectors; epoll means level, edge and oneshot [default: all]
    --fds(-f): string         # How many fds are watched [default: 10,100,1000,10000]
    --active(-a): string      # How many of them become ready at a time [default: 1,100]
    --kind(-k): string@"nu-complete fdscope bench kind" # What the fds are
    --runs(-r): string        # How often everything is measured; the median is shown
    --for: string             # For how long all in all, about; with --servers 9s unless it is given, and their start
    --servers                 # Measure servers instead: threads, processes and an event loop, with the same small service
    --model(-m): string@"nu-complete fdscope bench model" # Which models of fdscope listen [default: all]
    --load(-l): string@"nu-complete fdscope bench load" # What the clients do [default: all]
    --connections(-c): string # How many connections are open [default: 10,100,1000]
    --busy(-b): string        # How many of them ask, each again as soon as it has its answer; all, if there are fewer
    --clients: string         # How many threads the clients have [default: half as many as there are processors]
    --compute: string         # How long the server computes, in compute: time of a processor, for each request of --computing
    --computing: string       # How many of the busy connections have every request computed, in compute
    --plot: path              # Draw it into this file, as SVG; not with --servers
    --format: string@"nu-complete fdscope bench format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope bench color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors; with watch also its lines, but not records
    --help(-h)                # Print help (see more with '--help')
  ]

}

export use completions *
