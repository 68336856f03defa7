"""`python -m devenv`, and the console script: Ctrl-C is no traceback even while modules are still being loaded."""

import sys


def run() -> None:
    """Run the command line of this process; what a shell asks at a tab is answered without loading the rest."""
    try:
        if sys.argv[1:2] == ["__complete"]:
            from devenv.completion.answer import main

            sys.exit(main(sys.argv[2:]))
        from devenv.cli.app import run as run_app

        run_app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    run()
