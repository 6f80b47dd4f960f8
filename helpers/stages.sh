# shellcheck shell=sh disable=SC3028 # what only bash has is used with a default
# Marks for freeze-profile which stage a shell script is in. To be sourced, in any POSIX shell; a mark starts no process.
#
#     . ./stages.sh
#     stage fetch                  # the stage entered before is over, this one begins
#     stage work 3/10              # item 3 of 10
#     stage_begin upload           # a stage beside the entered one, until:
#     stage_end upload
#     stage_done                   # everything is over
#
# Each mark appends a line to .pipeline_events.jsonl and rewrites PIPELINE_STATUS_FILE, with one write each. Without that
# variable nothing is written. A file that cannot be written is reported once on standard error, and the script goes on;
# the marks leave `set -e` and `set -u` alone. In bash 5 the events carry its clock; elsewhere the moment at which they
# are read counts.

_stage_status=${PIPELINE_STATUS_FILE-}
_stage_newline='
'
_stage_entered=
_stage_open=$_stage_newline
_stage_complained=
case $_stage_status in
'') ;;
*/*) _stage_directory=${_stage_status%/*} ;;
*) _stage_directory=. ;;
esac
if [ -n "$_stage_status" ] && [ ! -d "${_stage_directory:=/}" ]; then
    mkdir -p "$_stage_directory" || :
fi

# Enters a stage: stage NAME [I/N]
stage() {
    [ -n "$_stage_status" ] || return 0
    _stage_quote "$1"
    _stage_event enter "${2-}"
    if [ "$_stage_text" = '"done"' ]; then _stage_entered=; else _stage_entered=$_stage_text; fi
    _stage_replace "$_stage_text" "${2-}"
}

# Begins a stage beside the others: stage_begin NAME [I/N]
stage_begin() {
    [ -n "$_stage_status" ] || return 0
    _stage_quote "$1"
    _stage_event begin "${2-}"
    _stage_open=$_stage_open$_stage_text$_stage_newline
    _stage_replace "$_stage_text" "${2-}"
}

# Ends a stage that stage_begin has begun: stage_end NAME
stage_end() {
    [ -n "$_stage_status" ] || return 0
    _stage_quote "$1"
    case $_stage_open in
    *"$_stage_newline$_stage_text$_stage_newline"*) ;;
    *) return 0 ;;
    esac
    _stage_event end ''
    _stage_open=${_stage_open%%"$_stage_newline$_stage_text$_stage_newline"*}$_stage_newline${_stage_open#*"$_stage_newline$_stage_text$_stage_newline"}
    _stage_now=
    _stage_replace "${_stage_entered:-$_stage_text}" ''
}

# Ends everything.
stage_done() {
    [ -n "$_stage_status" ] || return 0
    _stage_open=${_stage_open#"$_stage_newline"}
    while [ -n "$_stage_open" ]; do
        _stage_text=${_stage_open%%"$_stage_newline"*}
        _stage_open=${_stage_open#*"$_stage_newline"}
        _stage_event end ''
    done
    _stage_open=$_stage_newline
    stage 'done'
}

# The clock: _stage_now in seconds since the epoch, _stage_moment as it stands in an event.
_stage_clock() {
    _stage_now=${EPOCHREALTIME-}
    # Some languages write a comma there.
    case $_stage_now in *,*) _stage_now=${_stage_now%%,*}.${_stage_now#*,} ;; esac
    _stage_moment=
    [ -z "$_stage_now" ] || _stage_moment=",\"epoch_s\":$_stage_now"
}

# A text as a JSON string, in _stage_text.
_stage_quote() {
    case $1 in
    *[\"\\]* | *[[:cntrl:]]*) ;;
    *)
        _stage_text="\"$1\""
        return 0
        ;;
    esac
    _stage_rest=$1
    _stage_text=\"
    while [ -n "$_stage_rest" ]; do
        _stage_tail=${_stage_rest#?}
        _stage_head=${_stage_rest%"$_stage_tail"}
        case $_stage_head in
        \" | \\) _stage_text=$_stage_text\\$_stage_head ;;
        [[:cntrl:]]) _stage_text="$_stage_text " ;;
        *) _stage_text=$_stage_text$_stage_head ;;
        esac
        _stage_rest=$_stage_tail
    done
    _stage_text=$_stage_text\"
}

# Which item of how many, as JSON members in _stage_members: _stage_position NAME_OF_INDEX NAME_OF_TOTAL I/N
_stage_position() {
    _stage_members=
    case $3 in
    '' | *[!0-9/]* | /* | */ | */*/*) ;;
    */*) _stage_members=",\"$1\":${3%/*},\"$2\":${3#*/}" ;;
    *) _stage_members=",\"$1\":$3" ;;
    esac
}

# Appends an event of the stage in _stage_text: _stage_event KIND I/N
_stage_event() {
    _stage_clock
    _stage_position episode episode_total "$2"
    _stage_line="{\"event\":\"$1\",\"stage\":$_stage_text$_stage_members,\"tid\":${BASHPID:-$$},\"pid\":$$$_stage_moment}"
    printf '%s\n' "$_stage_line" 2>/dev/null >>"$_stage_directory/.pipeline_events.jsonl" || _stage_complain
}

# Rewrites the status file: _stage_replace QUOTED_NAME I/N
_stage_replace() {
    _stage_position episode_idx episode_total "$2"
    _stage_active=$_stage_entered
    _stage_rest=${_stage_open#"$_stage_newline"}
    while [ -n "$_stage_rest" ]; do
        _stage_active="$_stage_active${_stage_active:+,}${_stage_rest%%"$_stage_newline"*}"
        _stage_rest=${_stage_rest#*"$_stage_newline"}
    done
    _stage_line="{\"pid\":$$,\"stage\":$1${_stage_now:+,\"stage_started_at\":$_stage_now}$_stage_members,\"active_stages\":[$_stage_active]}"
    printf '%s\n' "$_stage_line" 2>/dev/null >|"$_stage_status" || _stage_complain
}

_stage_complain() {
    [ -n "$_stage_complained" ] || echo "The stage status is not being recorded in '$_stage_status'." >&2
    _stage_complained=yes
}
