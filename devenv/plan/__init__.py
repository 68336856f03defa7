"""Pure: an Environment and what was observed, to the Kubernetes objects and steps that it needs."""
