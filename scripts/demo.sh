#!/bin/sh
# The tour of `make demo`: prints each command, then runs it, in a folder of its own. Usage: demo.sh AUDIONET, from the
# project's root.
set -eu
audionet=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
mkdir -p demo
cd demo

run() {
    printf '\n$ audionet %s\n' "$*"
    "$audionet" "$@"
}

echo "Four people read telephone prompts (credits: tf_files/data_audio/NOTICE.md;"
echo "paola's were made by Marco Menardi and Paola Dal Zot, http://www.voip.ammdomus.it)."
run prepare ../tf_files/data_audio
run retrain --steps 500
run label ../tf_files/test_audio
run evaluate ../tf_files/test_audio

cat <<END

That was in the folder demo/, which you can delete. To run audionet by hand, on recordings of your own:

    . $(dirname "$1")/activate      (once in each terminal)
    audionet prepare data_audio/
    audionet retrain
    audionet label clip.mp3
END
