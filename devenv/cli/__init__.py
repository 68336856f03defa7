"""One module per command: options to one flow to a result; `run` is the one error boundary."""
