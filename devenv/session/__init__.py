"""What lives after `up`: watch, sync, forwards, logs, and the control socket."""
