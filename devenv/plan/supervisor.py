"""The small shell program that starts a service and starts it anew on USR1, without a new container."""

from __future__ import annotations

from collections.abc import Sequence

SCRIPT = """\
again=; child=
trap 'again=1; kill -TERM "$child" 2>/dev/null' USR1
trap 'again=; trap "" USR1; kill -TERM "$child" 2>/dev/null' TERM INT
while :; do
  again=
  "$@" &
  child=$!
  wait "$child"; code=$?
  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  [ -n "$again" ] || exit "$code"
  echo "devenv: restarted"
done
"""


def supervised(program: Sequence[str]) -> list[str]:
    """The command that runs `program` as a child of PID 1 `sh`: USR1 restarts it, TERM and its own end end the pod."""
    return ["sh", "-c", SCRIPT, "devenv", *program]
