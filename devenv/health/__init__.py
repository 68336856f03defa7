"""Pure: a pod and its events, to a verdict."""
