#ifndef FREEZE_PROFILE_CSTAGE_MARKER_H
#define FREEZE_PROFILE_CSTAGE_MARKER_H

// A library that is preloaded into programs which callgrind counts: it has callgrind write its counts down where a stage
// begins or ends. It is a library of its own; nothing of this package links it. docs/formats/count-table.md describes the files
// that it writes.

/// Its version, for whatever wants to know that it is there.
int freeze_profile_stage_marker(void);

#endif
