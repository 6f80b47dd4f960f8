#ifndef FREEZE_PROFILE_CELFUTILS_H
#define FREEZE_PROFILE_CELFUTILS_H

// The door to elfutils. Swift imports its headers as they are; nothing here but the list of them.
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <libelf.h>

#endif
