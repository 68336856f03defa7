"""The only importer of subprocess and watchdog: programs, folders to watch, paths of this machine."""
