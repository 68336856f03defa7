#compdef devenv
# Completion of devenv for zsh: `source <(devenv completion zsh)`, or `devenv completion install`.
_devenv() {
    local program=${words[1]/#\~/$HOME} line
    local -a offers
    whence -p -- "$program" >/dev/null || program=devenv
    for line in "${(@f)$("$program" __complete zsh -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        if [[ $line == $'\tfiles' ]]; then
            _files
            return
        fi
        if [[ $line == *$'\t'* ]]; then
            offers+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        elif [[ -n $line ]]; then
            offers+=("${line//:/\\:}")
        fi
    done
    (( $#offers )) && _describe -V devenv offers
}
if [[ ${funcstack[1]} == _devenv ]]; then
    _devenv "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
    compdef _devenv devenv
fi
