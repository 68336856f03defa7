"""Gives a bare Debian machine Docker, kind and a Docker Hub mirror made here: `python -m tests.testbed up`."""
