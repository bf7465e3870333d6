
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
            [CompletionResult]::new('limits', 'limits', [CompletionResultType]::ParameterValue, 'Show resource limits, and how much of them is used')
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
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
