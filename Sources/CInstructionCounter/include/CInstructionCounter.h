#ifndef FREEZE_PROFILE_CINSTRUCTION_COUNTER_H
#define FREEZE_PROFILE_CINSTRUCTION_COUNTER_H

// A plugin of QEMU's user-mode emulation that counts executed instructions by basic block, thread and edge of a stage, in
// every process of a tree. It is a library of its own, opened by the emulator; nothing of this package links it.
// docs/formats/count-table.md describes the files that it writes.

#include <stdint.h>

/// The first thing that the emulator calls.
struct qemu_info_t;
int qemu_plugin_install(uint64_t id, const struct qemu_info_t *_Nullable info, int argc, char *_Nonnull *_Nonnull argv);

#endif
