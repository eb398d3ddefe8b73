#!/bin/sh
# docs_current.sh DOCGEN - the generated pages under docs/api are what the headers say today.
set -eu
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$1" include/thalweg "$fresh"
diff -ru docs/api "$fresh" || { echo "docs/api is not what the headers say: run 'make docs' and commit the result" >&2; exit 1; }
