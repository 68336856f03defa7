"""Keeps containers equal to the sources: a loop for each service, a replica for each container, and ways into it."""
