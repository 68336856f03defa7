"""What people do with devenv: the commands by task, each with examples. `--help`, the reference and tests read this."""

from __future__ import annotations

Example = tuple[str, str]
"""A command line and what it is for."""

TASKS: dict[str, dict[str, tuple[Example, ...]]] = {
    "Daily loop": {
        "up": (
            ("devenv up", "bring it up, then sync and forward until Ctrl-C"),
            ("devenv up -d", "the same, in the background"),
            ("devenv up --stub payments", "with this dependency stubbed"),
        ),
        "test": (
            ("devenv test", "the one service that has a test"),
            ("devenv test orders -- -k price", "what follows -- goes to the runner"),
        ),
        "logs": (
            ("devenv logs -f", "all pods in one stream, going on"),
            ("devenv logs orders --since 5m", "what one service printed lately"),
        ),
        "attach": (
            ("devenv attach", "what the session in the background says, and all logs"),
            ("devenv attach --tail 100", "beginning further back"),
        ),
        "down": (
            ("devenv down", "the data stays"),
            ("devenv down --volumes", "the data goes too"),
        ),
    },
    "Look": {
        "status": (
            ("devenv status", "what is up, how it is, where it is"),
            ("devenv status -o json", "for a program"),
        ),
        "url": (
            ("devenv url orders", "where a service answers"),
            ("curl $(devenv url orders)", "ask it something"),
        ),
        "forward": (
            ("devenv forward ls", "what is forwarded, and whether a pod answers"),
            ("devenv forward add postgres 15432:5432", "a dependency on a local port"),
        ),
        "forward ls": (
            ("devenv forward ls", "what is forwarded, and whether a pod answers"),
            ("devenv forward ls -o json", "for a program"),
        ),
        "forward add": (
            ("devenv forward add postgres 15432:5432", "port 5432 of postgres on the local port 15432"),
            ("devenv forward add orders:admin", "a port by its name, on the same number here"),
            ("devenv forward add redis", "the only port it has"),
        ),
        "forward stop": (
            ("devenv forward stop postgres", "all forwards of postgres"),
            ("devenv forward stop 15432", "the one on a local port"),
        ),
        "sync": (
            ("devenv sync status", "each pod's files, lag and program"),
            ("devenv sync explain src/app/data.json", "why a file is or is not in the pods"),
        ),
        "sync status": (
            ("devenv sync status", "all services that are synced"),
            ("devenv sync status orders -o json", "one, for a program"),
        ),
        "sync verify": (
            ("devenv sync verify", "hash both sides; 14 where something differs"),
            ("devenv sync verify orders -o json", "one service, for a program"),
            ("devenv sync verify --fix", "have the session send what differs"),
        ),
        "sync pull": (
            ("devenv sync pull services/orders/src/uv.lock", "a file that was made in the pod"),
            ("devenv sync pull '/app/src/generated/**' --service orders", "what matches in the pod"),
            ("devenv sync pull services/orders/src/schema.json --force", "over a local file that differs"),
        ),
        "sync accept": (
            ("devenv sync accept orders", "when it was refused to delete so much"),
            ("devenv sync accept", "of all services"),
        ),
        "sync explain": (
            ("devenv sync explain src/app/data.json", "by which rule, or what ignores it"),
            ("devenv sync explain src -o json", "for a program"),
        ),
        "wait": (
            ("devenv wait --for ready", "until all units are ready"),
            ("devenv wait --for synced orders", "until what is saved is in all its pods"),
            ("devenv wait --for healthy --timeout 2m", "ready, in sync, without problems, forwards up"),
        ),
        "explain": (
            ("devenv explain crash-loop", "an error by the code in brackets"),
            ("devenv explain", "all of them"),
        ),
    },
    "Set up": {
        "init": (
            ("devenv init", "devenv.yaml from what the project has"),
            ("devenv init --from compose.yaml --yes", "from a compose file, as proposed"),
            ("devenv init --dry-run", "look at it first"),
        ),
        "doctor": (
            ("devenv doctor", "what this machine lacks"),
            ("devenv doctor --fix", "mend what commands can, each after a yes"),
            ("devenv doctor cluster registry", "look at these alone"),
        ),
        "completion": (
            ("devenv completion install", "for the shell you use"),
            ("devenv completion install --shell zsh", "for another"),
        ),
        "completion bash": (
            ("devenv completion bash", "look at it"),
            ('eval "$(devenv completion bash)"', "for this shell only"),
        ),
        "completion zsh": (
            ("devenv completion zsh", "look at it"),
            ("source <(devenv completion zsh)", "for this shell only"),
        ),
        "completion fish": (
            ("devenv completion fish", "look at it"),
            ("devenv completion fish | source", "for this shell only"),
        ),
        "completion install": (
            ("devenv completion install", "for the shell you use"),
            ("devenv completion install --shell zsh", "for another"),
            ("devenv completion install --yes", "without questions"),
        ),
        "trust": (
            ("devenv trust", "look at the commands of your files, say yes once"),
            ("devenv trust --show", "only look"),
            ("devenv trust --revoke", "take the yes back"),
        ),
        "version": (
            ("devenv version", "of devenv and all it works with"),
            ("devenv version -o json", "for a bug report"),
        ),
    },
    "Configuration": {
        "config": (
            ("devenv config show", "what devenv.yaml and its profile come to"),
            ("devenv config validate", "all faults at once"),
        ),
        "config show": (
            ("devenv config show", "what devenv.yaml and its profile come to"),
            ("devenv config show -p integration", "with another profile"),
            ("devenv config show -p integration -p mine", "with two, the later laid onto the earlier"),
        ),
        "config explain": (
            ("devenv config explain dependencies.postgres.with", "where these values come from"),
            ("devenv config explain", "where every value comes from"),
        ),
        "config validate": (
            ("devenv config validate", "devenv.yaml with its profile"),
            ("devenv config validate profiles/integration.yaml", "one profile"),
        ),
        "config schema": (
            ("devenv config schema", "of devenv.yaml"),
            ("devenv config schema profile --path", "where that of a profile is, for an editor"),
        ),
        "profiles": (
            ("devenv profiles", "what can be included"),
            ("devenv profiles show postgres", "what one needs and offers"),
        ),
        "profiles show": (
            ("devenv profiles show postgres", "what it needs and offers"),
            ("devenv profiles show postgres -o json", "for a program"),
        ),
    },
}

OTHER = "More"
"""Where a command stands that no task names."""


def task_of(command: str) -> str:
    """The task under which a command ("up", "config show") is listed."""
    return next((task for task, commands in TASKS.items() if command in commands), OTHER)


def examples_of(command: str) -> tuple[Example, ...]:
    """The examples of a command ("up", "config show")."""
    return next((commands[command] for commands in TASKS.values() if command in commands), ())
