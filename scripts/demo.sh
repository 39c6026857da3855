#!/bin/sh
# The tour of `make demo`: prints each command, then runs it. Usage: demo.sh AUDIONET, from the project's root.
set -eu
audionet=$1

run() {
    printf '\n$ audionet %s\n' "$*"
    "$audionet" "$@"
}

echo "Four people read telephone prompts (credits: tf_files/data_audio/NOTICE.md;"
echo "paola's were made by Marco Menardi and Paola Dal Zot, http://www.voip.ammdomus.it)."
run prepare tf_files/data_audio
run retrain --steps 500
run label tf_files/test_audio
run evaluate tf_files/test_audio
