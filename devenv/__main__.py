"""`python -m devenv`."""

from devenv.cli.app import run

run()
