# Completion of devenv for fish: `devenv completion fish | source`, or `devenv completion install`.
function __devenv_complete
    set -l words (commandline -opc)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    type -q -- $program; or set program devenv
    set -l current (commandline -ct)
    set -l lines ($program __complete fish -- $words[2..-1] "$current" 2>/dev/null)
    if test "$lines[1]" = \tfiles
        __fish_complete_path "$current"
    else if set -q lines[1]
        printf '%s\n' $lines
    end
end
complete -c devenv -f -a '(__devenv_complete)'
