"""The end of sync in a container: one C file, and what makes programs of it."""
