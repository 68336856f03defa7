"""devenv: the environment that a service really runs in, on a developer's machine."""

__version__ = "0.1.0"
