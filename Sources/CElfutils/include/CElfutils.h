#ifndef FREEZE_PROFILE_CELFUTILS_H
#define FREEZE_PROFILE_CELFUTILS_H

// The door to elfutils. Swift imports its headers as they are; nothing here but the list of them.
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <libelf.h>

/// A copy of a string that libdwfl can release, and its release by ourselves.
char *_Nullable celfutils_copy(const char *_Nonnull text);
void celfutils_free(char *_Nullable text);

#endif
