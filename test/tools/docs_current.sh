#!/bin/sh
# docs_current.sh DOCGEN REFERENCE - the generated pages are what the headers and descriptors say today.
set -eu
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
mkdir "$fresh/api" "$fresh/reference"
"$1" include/thalweg "$fresh/api"
"$2" "$fresh/reference"
diff -ru docs/api "$fresh/api" && diff -ru docs/reference "$fresh/reference" || {
    echo "the generated pages are not what the sources say: run 'make docs' and commit the result" >&2
    exit 1
}
