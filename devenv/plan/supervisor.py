"""The small shell program that starts a service and starts it anew on USR1, without a new container."""

from __future__ import annotations

from collections.abc import Sequence

# Once a save has started the program anew, a crash is most likely that save's: ending the container then would bring
# the image's files back and have the next save wait for Kubernetes' back-off.
SCRIPT = """\
again=; saved=; ending=; child=
trap 'again=1; saved=1; kill -TERM "$child" 2>/dev/null' USR1
trap 'again=; ending=1; trap "" USR1; kill -TERM "$child" 2>/dev/null' TERM INT
while :; do
  again=
  "$@" &
  child=$!
  wait "$child"; code=$?
  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  if [ -n "$saved" ] && [ "$code" -ne 0 ] && [ -z "$again$ending" ]; then
    echo "devenv: it ended with code $code; the next save starts it again"
    while [ -z "$again$ending" ]; do sleep 1 & child=$!; wait "$child"; done
  fi
  [ -n "$again" ] || exit "$code"
  echo "devenv: restarted"
done
"""


def supervised(program: Sequence[str]) -> list[str]:
    """The command that runs `program` as a child of PID 1 `sh`: USR1 restarts it, TERM or its own end ends the pod.

    Only after a restart, an end with a code other than 0 waits for the next USR1.
    """
    return ["sh", "-c", SCRIPT, "devenv", *program]
