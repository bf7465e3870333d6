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
tsv\t'Tab-separated, escaped, for cut and awk'"
complete -c fdscope -n "__fish_fdscope_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_needs_command" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_needs_command" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_needs_command" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_needs_command" -s q -l quiet -d 'Leave out notes on stderr, but not errors'
complete -c fdscope -n "__fish_fdscope_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c fdscope -n "__fish_fdscope_needs_command" -s V -l version -d 'Print version'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "list" -d 'List what processes hold open'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "ls" -d 'List what processes hold open'
complete -c fdscope -n "__fish_fdscope_needs_command" -f -a "limits" -d 'Show resource limits, and how much of them is used'
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
tsv\t'Tab-separated, escaped, for cut and awk'"
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l deleted -d 'Only deleted files that are still held, and so still take space'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s a -l assoc -d 'Also working directory, root directory and program (cwd, root, exe)'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s m -l mappings -d 'Also mapped files'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l threads -d 'Also threads that have an fd table of their own'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l wide -d 'More fields: user, uid, assoc, flags, pos, inode, device, mount'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l count -d 'Count by process and kind, instead of listing'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l pids -d 'Print only pids, one a line, for kill(1) and the like'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand list" -s q -l quiet -d 'Leave out notes on stderr, but not errors'
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
tsv\t'Tab-separated, escaped, for cut and awk'"
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l deleted -d 'Only deleted files that are still held, and so still take space'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s a -l assoc -d 'Also working directory, root directory and program (cwd, root, exe)'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s m -l mappings -d 'Also mapped files'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l threads -d 'Also threads that have an fd table of their own'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l wide -d 'More fields: user, uid, assoc, flags, pos, inode, device, mount'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l count -d 'Count by process and kind, instead of listing'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l pids -d 'Print only pids, one a line, for kill(1) and the like'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s q -l quiet -d 'Leave out notes on stderr, but not errors'
complete -c fdscope -n "__fish_fdscope_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
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
tsv\t'Tab-separated, escaped, for cut and awk'"
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, as NO_COLOR and CLICOLOR_FORCE say'
always\t'Always'
never\t'Never'"
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -s a -l all -d 'One line a process: open fds against their limit, the nearest to it first'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l system -d 'Limits of the whole machine, and constants such as FD_SETSIZE'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l json -d 'Short for --format json'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l jsonl -d 'Short for --format jsonl'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -l no-header -d 'Leave out the heading of tables and TSV'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -s q -l quiet -d 'Leave out notes on stderr, but not errors'
complete -c fdscope -n "__fish_fdscope_using_subcommand limits" -s h -l help -d 'Print help (see more with \'--help\')'
