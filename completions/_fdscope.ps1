
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
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to write records')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the line with the columns'' names')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr; errors are still told')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr; errors are still told')
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
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Only these kinds, such as tcp,pipe,epoll')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only these kinds, such as tcp,pipe,epoll')
            [CompletionResult]::new('--fd', '--fd', [CompletionResultType]::ParameterName, 'Only these fd numbers, such as 0,3-7')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Only this file, or this directory and all below it, however it is held')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Only sockets whose own port is this')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Only sockets whose own port is this')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Only what this expression is true of; see EXPRESSIONS in fdscope-list(1)')
            [CompletionResult]::new('--where', '--where', [CompletionResultType]::ParameterName, 'Only what this expression is true of; see EXPRESSIONS in fdscope-list(1)')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the default, ''help'' lists them')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the default, ''help'' lists them')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to write records')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--deleted', '--deleted', [CompletionResultType]::ParameterName, 'Only files that are deleted but still held, however they are held')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Also the working directory, the root directory and the program')
            [CompletionResult]::new('--assoc', '--assoc', [CompletionResultType]::ParameterName, 'Also the working directory, the root directory and the program')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Also mapped files')
            [CompletionResult]::new('--mappings', '--mappings', [CompletionResultType]::ParameterName, 'Also mapped files')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Also threads whose fd table is not the process''s')
            [CompletionResult]::new('--wide', '--wide', [CompletionResultType]::ParameterName, 'All common fields')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Counts by process and kind, instead of rows')
            [CompletionResult]::new('--pids', '--pids', [CompletionResultType]::ParameterName, 'Only the pids, one a line')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the line with the columns'' names')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr; errors are still told')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr; errors are still told')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'fdscope;ls' {
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Only processes of this user, by name or number')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'Only processes of this user, by name or number')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'Only these kinds, such as tcp,pipe,epoll')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only these kinds, such as tcp,pipe,epoll')
            [CompletionResult]::new('--fd', '--fd', [CompletionResultType]::ParameterName, 'Only these fd numbers, such as 0,3-7')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Only this file, or this directory and all below it, however it is held')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Only sockets whose own port is this')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Only sockets whose own port is this')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Only what this expression is true of; see EXPRESSIONS in fdscope-list(1)')
            [CompletionResult]::new('--where', '--where', [CompletionResultType]::ParameterName, 'Only what this expression is true of; see EXPRESSIONS in fdscope-list(1)')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the default, ''help'' lists them')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the default, ''help'' lists them')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to write records')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('--deleted', '--deleted', [CompletionResultType]::ParameterName, 'Only files that are deleted but still held, however they are held')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Also the working directory, the root directory and the program')
            [CompletionResult]::new('--assoc', '--assoc', [CompletionResultType]::ParameterName, 'Also the working directory, the root directory and the program')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'Also mapped files')
            [CompletionResult]::new('--mappings', '--mappings', [CompletionResultType]::ParameterName, 'Also mapped files')
            [CompletionResult]::new('--threads', '--threads', [CompletionResultType]::ParameterName, 'Also threads whose fd table is not the process''s')
            [CompletionResult]::new('--wide', '--wide', [CompletionResultType]::ParameterName, 'All common fields')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Counts by process and kind, instead of rows')
            [CompletionResult]::new('--pids', '--pids', [CompletionResultType]::ParameterName, 'Only the pids, one a line')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the line with the columns'' names')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr; errors are still told')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr; errors are still told')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'fdscope;limits' {
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Set a limit of the TARGETs, such as nofile=4096 or nofile=4096:8192 (soft:hard)')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Order of --all')
            [CompletionResult]::new('--top', '--top', [CompletionResultType]::ParameterName, 'Only the first N of --all')
            [CompletionResult]::new('--fail-above', '--fail-above', [CompletionResultType]::ParameterName, 'Exit with 1 if a process that is shown uses more than this of its open-files limit')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the default, ''help'' lists them')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'Which fields, in which order; +NAME adds to the default, ''help'' lists them')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to write records')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to colour')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'One line a process: open fds against the limit, the nearest to it first')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'One line a process: open fds against the limit, the nearest to it first')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'Limits and constants of the whole machine')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Short for --format json')
            [CompletionResult]::new('--jsonl', '--jsonl', [CompletionResultType]::ParameterName, 'Short for --format jsonl')
            [CompletionResult]::new('--no-header', '--no-header', [CompletionResultType]::ParameterName, 'Leave out the line with the columns'' names')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Leave out notes on stderr; errors are still told')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Leave out notes on stderr; errors are still told')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
