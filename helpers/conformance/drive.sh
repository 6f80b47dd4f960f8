# shellcheck shell=sh
# Plays a conformance case through helpers/stages.sh: sh drive.sh CASE.tsv, with PIPELINE_STATUS_FILE set.
set -eu
# shellcheck source=helpers/stages.sh
. "${0%/*}/../stages.sh"
# A clock that shows what the case says, after a beginning that is the test's.
_stage_clock() {
    _stage_now=
    _stage_moment=",\"monotonic_ns\":$((${CONFORMANCE_ORIGIN_NS:-0} + now * 1000000))"
}
# The shell has no threads: a span's thread is given by the event's, as a program of another process would.
tab=$(printf '\t')
while IFS=$tab read -r verb now _ name; do
    case $verb in
    begin) stage_begin "$name" ;;
    end) stage_end "$name" ;;
    enter) stage "$name" ;;
    finish) stage_done ;;
    esac
done <"$1"
