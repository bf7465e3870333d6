
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
            cand --format 'How to write records'
            cand --color 'When to colour'
            cand --json 'Short for --format json'
            cand --jsonl 'Short for --format jsonl'
            cand --no-header 'Leave out the line with the columns'' names'
            cand -q 'Leave out notes on stderr; errors are still told'
            cand --quiet 'Leave out notes on stderr; errors are still told'
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
            cand -k 'Only these kinds, such as tcp,pipe,epoll'
            cand --kind 'Only these kinds, such as tcp,pipe,epoll'
            cand --fd 'Only these fd numbers, such as 0,3-7'
            cand --path 'Only this file, or this directory and all below it, however it is held'
            cand -p 'Only sockets whose own port is this'
            cand --port 'Only sockets whose own port is this'
            cand -w 'Only what this expression is true of; see EXPRESSIONS in fdscope-list(1)'
            cand --where 'Only what this expression is true of; see EXPRESSIONS in fdscope-list(1)'
            cand -c 'Which fields, in which order; +NAME adds to the default, ''help'' lists them'
            cand --columns 'Which fields, in which order; +NAME adds to the default, ''help'' lists them'
            cand --format 'How to write records'
            cand --color 'When to colour'
            cand --deleted 'Only files that are deleted but still held, however they are held'
            cand -a 'Also the working directory, the root directory and the program'
            cand --assoc 'Also the working directory, the root directory and the program'
            cand -m 'Also mapped files'
            cand --mappings 'Also mapped files'
            cand --threads 'Also threads whose fd table is not the process''s'
            cand --wide 'All common fields'
            cand --count 'Counts by process and kind, instead of rows'
            cand --pids 'Only the pids, one a line'
            cand --json 'Short for --format json'
            cand --jsonl 'Short for --format jsonl'
            cand --no-header 'Leave out the line with the columns'' names'
            cand -q 'Leave out notes on stderr; errors are still told'
            cand --quiet 'Leave out notes on stderr; errors are still told'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'fdscope;ls'= {
            cand -u 'Only processes of this user, by name or number'
            cand --user 'Only processes of this user, by name or number'
            cand -k 'Only these kinds, such as tcp,pipe,epoll'
            cand --kind 'Only these kinds, such as tcp,pipe,epoll'
            cand --fd 'Only these fd numbers, such as 0,3-7'
            cand --path 'Only this file, or this directory and all below it, however it is held'
            cand -p 'Only sockets whose own port is this'
            cand --port 'Only sockets whose own port is this'
            cand -w 'Only what this expression is true of; see EXPRESSIONS in fdscope-list(1)'
            cand --where 'Only what this expression is true of; see EXPRESSIONS in fdscope-list(1)'
            cand -c 'Which fields, in which order; +NAME adds to the default, ''help'' lists them'
            cand --columns 'Which fields, in which order; +NAME adds to the default, ''help'' lists them'
            cand --format 'How to write records'
            cand --color 'When to colour'
            cand --deleted 'Only files that are deleted but still held, however they are held'
            cand -a 'Also the working directory, the root directory and the program'
            cand --assoc 'Also the working directory, the root directory and the program'
            cand -m 'Also mapped files'
            cand --mappings 'Also mapped files'
            cand --threads 'Also threads whose fd table is not the process''s'
            cand --wide 'All common fields'
            cand --count 'Counts by process and kind, instead of rows'
            cand --pids 'Only the pids, one a line'
            cand --json 'Short for --format json'
            cand --jsonl 'Short for --format jsonl'
            cand --no-header 'Leave out the line with the columns'' names'
            cand -q 'Leave out notes on stderr; errors are still told'
            cand --quiet 'Leave out notes on stderr; errors are still told'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'fdscope;limits'= {
            cand --set 'Set a limit of the TARGETs, such as nofile=4096 or nofile=4096:8192 (soft:hard)'
            cand --sort 'Order of --all'
            cand --top 'Only the first N of --all'
            cand --fail-above 'Exit with 1 if a process that is shown uses more than this of its open-files limit'
            cand -c 'Which fields, in which order; +NAME adds to the default, ''help'' lists them'
            cand --columns 'Which fields, in which order; +NAME adds to the default, ''help'' lists them'
            cand --format 'How to write records'
            cand --color 'When to colour'
            cand -a 'One line a process: open fds against the limit, the nearest to it first'
            cand --all 'One line a process: open fds against the limit, the nearest to it first'
            cand --system 'Limits and constants of the whole machine'
            cand --json 'Short for --format json'
            cand --jsonl 'Short for --format jsonl'
            cand --no-header 'Leave out the line with the columns'' names'
            cand -q 'Leave out notes on stderr; errors are still told'
            cand --quiet 'Leave out notes on stderr; errors are still told'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
    ]
    $completions[$command]
}
