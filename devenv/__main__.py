"""`python -m devenv`, and the console script: Ctrl-C is no traceback even while modules are still being loaded."""

import sys


def run() -> None:
    """Run the command line of this process."""
    try:
        from devenv.cli.app import run as run_app

        run_app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
