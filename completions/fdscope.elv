
use builtin;
use str;

set edit:completion:arg-completer[fdscope] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'fdscope'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'fdscope'= {
            cand --format 'Output format'
            cand --color 'When to use colour'
            cand --json 'Short for --format json'
            cand --jsonl 'Short for --format jsonl'
            cand --no-header 'Leave out the heading of tables and TSV'
            cand -q 'Leave out notes on stderr, but not errors'
            cand --quiet 'Leave out notes on stderr, but not errors'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand list 'List what processes hold open'
            cand ls 'List what processes hold open'
            cand limits 'Show resource limits, and how much of them is used'
        }
        &'fdscope;list'= {
            cand -u 'Only processes of this user, by name or number'
            cand --user 'Only processes of this user, by name or number'
            cand -k 'Only these kinds, or groups of kinds, such as tcp,pipe or socket'
            cand --kind 'Only these kinds, or groups of kinds, such as tcp,pipe or socket'
            cand --fd 'Only these fd numbers, such as 0,3-7'
            cand --path 'Only this file, or this directory and all below it, however it is held'
            cand -p 'Only sockets whose own port is this: the serving end, not clients'
            cand --port 'Only sockets whose own port is this: the serving end, not clients'
            cand -w 'Only what this is true of: ''regular.size > 10M''; see fdscope-list(1)'
            cand --where 'Only what this is true of: ''regular.size > 10M''; see fdscope-list(1)'
            cand -c 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all'
            cand --columns 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all'
            cand --format 'Output format'
            cand --color 'When to use colour'
            cand --deleted 'Only deleted files that are still held, and so still take space'
            cand -a 'Also working directory, root directory and program (cwd, root, exe)'
            cand --assoc 'Also working directory, root directory and program (cwd, root, exe)'
            cand -m 'Also mapped files'
            cand --mappings 'Also mapped files'
            cand --threads 'Also threads that have an fd table of their own'
            cand --wide 'More fields: user, uid, assoc, flags, pos, inode, device, mount'
            cand --count 'Count by process and kind, instead of listing'
            cand --pids 'Print only pids, one a line, for kill(1) and the like'
            cand --json 'Short for --format json'
            cand --jsonl 'Short for --format jsonl'
            cand --no-header 'Leave out the heading of tables and TSV'
            cand -q 'Leave out notes on stderr, but not errors'
            cand --quiet 'Leave out notes on stderr, but not errors'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'fdscope;ls'= {
            cand -u 'Only processes of this user, by name or number'
            cand --user 'Only processes of this user, by name or number'
            cand -k 'Only these kinds, or groups of kinds, such as tcp,pipe or socket'
            cand --kind 'Only these kinds, or groups of kinds, such as tcp,pipe or socket'
            cand --fd 'Only these fd numbers, such as 0,3-7'
            cand --path 'Only this file, or this directory and all below it, however it is held'
            cand -p 'Only sockets whose own port is this: the serving end, not clients'
            cand --port 'Only sockets whose own port is this: the serving end, not clients'
            cand -w 'Only what this is true of: ''regular.size > 10M''; see fdscope-list(1)'
            cand --where 'Only what this is true of: ''regular.size > 10M''; see fdscope-list(1)'
            cand -c 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all'
            cand --columns 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all'
            cand --format 'Output format'
            cand --color 'When to use colour'
            cand --deleted 'Only deleted files that are still held, and so still take space'
            cand -a 'Also working directory, root directory and program (cwd, root, exe)'
            cand --assoc 'Also working directory, root directory and program (cwd, root, exe)'
            cand -m 'Also mapped files'
            cand --mappings 'Also mapped files'
            cand --threads 'Also threads that have an fd table of their own'
            cand --wide 'More fields: user, uid, assoc, flags, pos, inode, device, mount'
            cand --count 'Count by process and kind, instead of listing'
            cand --pids 'Print only pids, one a line, for kill(1) and the like'
            cand --json 'Short for --format json'
            cand --jsonl 'Short for --format jsonl'
            cand --no-header 'Leave out the heading of tables and TSV'
            cand -q 'Leave out notes on stderr, but not errors'
            cand --quiet 'Leave out notes on stderr, but not errors'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'fdscope;limits'= {
            cand --set 'Set a limit of the TARGETs, such as nofile=4096 or nofile=4096:8192 (soft:hard)'
            cand --sort 'Order of --all'
            cand --top 'Only the first N of --all'
            cand --fail-above 'Exit with 1 if a process shown uses more than this of its nofile limit'
            cand -c 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all'
            cand --columns 'Which fields, in which order; +NAME adds to the usual ones, ''help'' lists all'
            cand --format 'Output format'
            cand --color 'When to use colour'
            cand -a 'One line a process: open fds against their limit, the nearest to it first'
            cand --all 'One line a process: open fds against their limit, the nearest to it first'
            cand --system 'Limits of the whole machine, and constants such as FD_SETSIZE'
            cand --json 'Short for --format json'
            cand --jsonl 'Short for --format jsonl'
            cand --no-header 'Leave out the heading of tables and TSV'
            cand -q 'Leave out notes on stderr, but not errors'
            cand --quiet 'Leave out notes on stderr, but not errors'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
    ]
    $completions[$command]
}
