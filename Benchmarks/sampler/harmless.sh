#!/bin/sh
# Kills the samplers, as a library and as the command, at random moments in each mode, and looks after the target: it
# ends as it would have without them, and no thread is ever found stopped. Usage: harmless.sh [TIMES]   (default 200)
set -eu
cd "$(dirname "$0")/../.."
FREEZE_PROFILE_KILLS=${1:-200} swift test --no-parallel --filter 'HarmlessnessTests/killed|WallClockCommandTests/killed'
