# Completion of devenv for bash: `eval "$(devenv completion bash)"`, or `devenv completion install`.
_devenv() {
    local program=${COMP_WORDS[0]/#\~/$HOME} line
    type -P -- "$program" >/dev/null 2>&1 || program=devenv
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == $'\tfiles' ]]; then
            # bash before 4 has no compopt.
            compopt -o default 2>/dev/null || COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
            return
        fi
        COMPREPLY+=("$line")
    done < <("$program" __complete bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _devenv devenv
