#!/bin/sh
# Runs the registry: with a configuration file, with a command of its own, or whatever else is asked for.
set -e
case "$1" in
  *.yml | *.yaml) set -- registry serve "$@" ;;
  serve | garbage-collect | help | -*) set -- registry "$@" ;;
esac
exec "$@"
