#!/bin/bash
# Runs WireMock with the options of the environment and of the command line, or another program if the first word names one.
set -e
if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
  exec "$@"
fi
# shellcheck disable=SC2086 # both variables hold lists of words
exec java $JAVA_OPTS -cp '/var/wiremock/lib/*:/var/wiremock/extensions/*' wiremock.Run $WIREMOCK_OPTIONS "$@"
