module completions {

  def "nu-complete fdscope format" [] {
    [ "table" "json" "jsonl" "tsv" ]
  }

  def "nu-complete fdscope color" [] {
    [ "auto" "always" "never" ]
  }

  # Show what a running process holds open, and how near it is to its limits
  export extern fdscope [
    --format: string@"nu-complete fdscope format" # How to write records
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the line with the columns' names
    --color: string@"nu-complete fdscope color" # When to colour
    --quiet(-q)               # Leave out notes on stderr; errors are still told
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
    --kind(-k): string        # Only these kinds, such as tcp,pipe,epoll
    --fd: string              # Only these fd numbers, such as 0,3-7
    --path: path              # Only this file, or this directory and all below it, however it is held
    --port(-p): string        # Only sockets whose own port is this
    --deleted                 # Only files that are deleted but still held, however they are held
    --where(-w): string       # Only what this expression is true of; see EXPRESSIONS in fdscope-list(1)
    --assoc(-a)               # Also the working directory, the root directory and the program
    --mappings(-m)            # Also mapped files
    --threads                 # Also threads whose fd table is not the process's
    --columns(-c): string     # Which fields, in which order; +NAME adds to the default, 'help' lists them
    --wide                    # All common fields
    --count                   # Counts by process and kind, instead of rows
    --pids                    # Only the pids, one a line
    --format: string@"nu-complete fdscope list format" # How to write records
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the line with the columns' names
    --color: string@"nu-complete fdscope list color" # When to colour
    --quiet(-q)               # Leave out notes on stderr; errors are still told
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
    --all(-a)                 # One line a process: open fds against the limit, the nearest to it first
    --system                  # Limits and constants of the whole machine
    --set: string             # Set a limit of the TARGETs, such as nofile=4096 or nofile=4096:8192 (soft:hard)
    --sort: string@"nu-complete fdscope limits sort" # Order of --all
    --top: string             # Only the first N of --all
    --fail-above: string      # Exit with 1 if a process that is shown uses more than this of its open-files limit
    --columns(-c): string     # Which fields, in which order; +NAME adds to the default, 'help' lists them
    --format: string@"nu-complete fdscope limits format" # How to write records
    --json                    # Short for --format json
    --jsonl                   # Short for --format jsonl
    --no-header               # Leave out the line with the columns' names
    --color: string@"nu-complete fdscope limits color" # When to colour
    --quiet(-q)               # Leave out notes on stderr; errors are still told
    --help(-h)                # Print help (see more with '--help')
    ...targets: string        # A pid, 'self' or a command name
  ]

}

export use completions *
