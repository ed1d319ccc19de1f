#!/bin/sh
# Waits until the database answers and is migrated, then becomes the command: the order of start is a wish, not a promise.
set -eu

patience_s=${FLEETLEDGER_WAIT_S:-180}

case "${1:-}" in
  web | worker | beat)
    until fleetledger migrate --check > /dev/null 2>&1; do
      patience_s=$((patience_s - 3))
      if [ "$patience_s" -le 0 ]; then
        echo "The database does not answer or is not migrated: see DATABASE_URL, then run 'fleetledger prepare'." >&2
        exit 1
      fi
      sleep 2
    done
    ;;
esac

exec fleetledger "$@"
