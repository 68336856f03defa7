"""The shell program at the far end of a sync stream, for containers with `sh` and `tar` (dash and busybox ash too).

It reads frames from stdin, each a header line and a tar archive, and answers each with two NUL-ended fields, a body
and a status: `ok`, `error`, `missing` (a tool), `unwritable` (a target), or `exit CODE`. Archives go into a staging
folder on the target's own file system; from there every file is renamed into place, so no reader sees half a file.
"""

from __future__ import annotations

from collections.abc import Sequence

STAGE_PREFIX = ".devenv-sync-"
END = "# end of program"

# `read` takes one byte at a time, so nothing that follows the program on stdin is lost. Bringing the program this
# way keeps the command line short: it travels as a URL, which proxies limit.
BOOTSTRAP = (
    f'program=; while IFS= read -r line && [ "$line" != "{END}" ]; do program="$program$line\n"; done; eval "$program"'
)

# Staging lies beside the target where it can, so that a program which watches its source folder sees whole files only.
# `cat` after a failed tar takes what is left of the archive: the next header must start where `read` looks for it.
PROGRAM = (
    r"""
umask 022
token=$1; shift
here=$PWD
answer() { printf '\0%s\0' "$1"; }
refuse() { printf '%s\0%s\0' "$2" "$1"; exit 0; }

for tool in dd tar cat mkdir mv rm rmdir sha256sum readlink tr; do
  command -v "$tool" >/dev/null 2>&1 || refuse missing "$tool"
done
dd bs=1 count=0 iflag=fullblock </dev/null >/dev/null 2>&1 || refuse missing 'dd with iflag=fullblock'

stages=0
sweep() {
  while [ "$stages" -gt 0 ]; do
    stages=$((stages - 1))
    eval "rm -rf -- \"\$stage_$stages\""
  done
}
trap sweep EXIT
trap 'exit 0' HUP INT TERM PIPE

device() { stat -c %d "$1" 2>/dev/null; }
same_disk() { [ -n "$(device "$1")" ] && [ "$(device "$1")" = "$(device "$2")" ]; }
remove_stale() {
  for old in "$1/.devenv-sync-$token-"*; do
    [ -d "$old" ] && [ ! -d "/proc/${old##*-}" ] && rm -rf -- "$old"
  done
}
for target do
  mkdir -p -- "$target" 2>/dev/null
  [ -d "$target" ] && [ -w "$target" ] && [ -x "$target" ] || refuse unwritable "$target"
  base=$(cd -- "$target" && pwd -P)
  beside=${base%/*}; beside=${beside:-/}
  if [ ! -w "$beside" ] || ! same_disk "$beside" "$base"; then beside=$base; fi
  remove_stale "$beside"
  stage=${beside%/}/.devenv-sync-$token-$stages-$$
  rm -rf -- "$stage"
  mkdir -- "$stage" 2>/dev/null || refuse unwritable "$target"
  eval "base_$stages=\$base; stage_$stages=\$stage"
  stages=$((stages + 1))
done

receive() {
  dd bs="$1" count="$2" iflag=fullblock 2>/dev/null | {
    tar -x -o -f - -C "$stage" 2>"$stage/errors" || { cat >/dev/null; false; }
  }
}
each() {
  call=$1; file=$2; set --
  while IFS= read -r line; do
    set -- "$@" "./$line"
    if [ $# -ge 200 ]; then "$call" "$@" || return 1; set --; fi
  done <"$stage/$file"
  [ $# = 0 ] || "$call" "$@"
}
unlink() { rm -f -- "$@"; }
sums() { sha256sum "$@" || :; }
prune() {
  for folder do
    [ -d "$folder/__pycache__" ] && rm -rf -- "$folder/__pycache__"
    rmdir -- "$folder" 2>/dev/null || :
  done
}
make() { mkdir -p -- "$@"; }
move() {
  group=0
  while IFS= read -r line; do
    folder=./${line#?}/
    case $line in
      p*) mv -f -- "$stage/$group"/* "$folder" || return 1 ;;
      d*) mv -f -- "$stage/$group"/.[!.]* "$folder" || return 1 ;;
      *) mv -f -- "$stage/$group"/..?* "$folder" || return 1 ;;
    esac
    group=$((group + 1))
  done <"$stage/move"
}
put() {
  for step in "$@"; do
    case $step in
      unlink*) each unlink "$step" ;;
      prune*) each prune "$step" ;;
      make) each make make ;;
      move) move ;;
    esac || return 1
  done
}
look() {
  while IFS= read -r line; do
    line=./$line
    if [ -L "$line" ]; then printf 'l%s\n' "$(readlink "$line")"
    elif [ -d "$line" ]; then echo d
    elif [ -f "$line" ]; then if [ -x "$line" ]; then echo x; else echo f; fi
    elif [ -e "$line" ]; then echo o
    else echo -; fi
  done <"$stage/look"
}
run() {
  (cd -- "$here" && exec sh "$stage/run") </dev/null >"$stage/output" 2>&1
  code=$?
  tr -d '\000' <"$stage/output"
  answer "exit $code"
}
failed() {
  tr -d '\000' <"$stage/errors"
  answer error
  eval "rm -rf -- \"\$stage\"; mkdir -- \"\$stage\""
}

answer ok
while read -r verb index size count steps; do
  case $verb in
    ping) answer ok; continue ;;
    signal) if kill -s "$index" 1 2>/dev/null; then answer ok; else answer error; fi; continue ;;
  esac
  eval "base=\$base_$index stage=\$stage_$index"
  [ -d "$stage" ] || mkdir -- "$stage"
  if ! receive "$size" "$count" || ! cd -- "$base"; then failed; continue; fi
  case $verb in
    look) look; answer ok ;;
    hash) each sums hash 2>/dev/null; answer ok ;;
    run) run ;;
    put) if put $steps 2>"$stage/errors" </dev/null; then answer ok; else failed; fi ;;
  esac
done
""".strip()
    + "\n"
)


def command(token: str, targets: Sequence[str]) -> list[str]:
    """The command to start in the container; `token` names this container, `targets` are folders in it."""
    return ["sh", "-c", BOOTSTRAP, "devenv", token, *targets]


def program() -> bytes:
    """What to write to the started command's stdin before the first frame."""
    return f"{PROGRAM}{END}\n".encode()
