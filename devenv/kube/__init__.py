"""The only importer of the Kubernetes client: objects, watches, exec, logs, forwards."""
