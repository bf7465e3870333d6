module completions {

  def "nu-complete fdscope format" [] {
    [ "table" "json" "jsonl" "tsv" ]
  }

  def "nu-complete fdscope color" [] {
    [ "auto" "always" "never" ]
  }

  # Show what a running process holds open, and how near it is to its limits
  export extern fdscope [
    --format: string@"nu-complete fdscope format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors
    --help(-h)                # Print help (see more with '--help')
    --version(-V)             # Print version
  ]

  def "nu-complete fdscope list format" [] {
    [ "table" "json" "jsonl" "tsv" ]
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
    --assoc(-a)               # Also working directory, root directory and program (cwd, root, exe)
    --mappings(-m)            # Also mapped files
    --threads                 # Also threads that have an fd table of their own
    --columns(-c): string     # Which fields, in which order; +NAME adds to the usual ones, 'help' lists all
    --wide                    # More fields: user, uid, assoc, flags, pos, inode, device, mount
    --count                   # Count by process and kind, instead of listing
    --pids                    # Print only pids, one a line, for kill(1) and the like
    --format: string@"nu-complete fdscope list format" # Output format
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the heading of tables and TSV
    --color: string@"nu-complete fdscope list color" # When to use colour
    --quiet(-q)               # Leave out notes on stderr, but not errors
    --help(-h)                # Print help (see more with '--help')
    ...targets: string        # A pid, 'self', PID:FDS such as 4242:0,3-7, or a command name
  ]

  def "nu-complete fdscope limits sort" [] {
    [ "percent" "used" "soft" "pid" "command" ]
  }

  def "nu-complete fdscope limits format" [] {
    [ "table" "json" "jsonl" "tsv" ]
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
    --quiet(-q)               # Leave out notes on stderr, but not errors
    --help(-h)                # Print help (see more with '--help')
    ...targets: string        # A pid, 'self' or a command name
  ]

}

export use completions *
