#define _GNU_SOURCE
#include "edges.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "maps.h"
#include "python.h"
#include "table.h"

enum kind { NOTHING, RENAMED, OPENED, WRITTEN, CLOSED, CLOSED_RANGE, COPIED, MAPPED, UNMAPPED };
enum { WATCHED = 1024, MAXIMUM_CONTENT = 1 << 18 };

static const char status_name[] = ".pipeline_status.json", trace_name[] = ".pipeline_events.jsonl";

/// By descriptor: 1 for the status file opened for writing in place, 2 for the event trace.
static uint8_t watched[WATCHED];
static char status_path[4096];

static const char *last_component(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/// The status file is small, and whole once it has its name: what is read is what was put there.
static void note_status(int directory, const char *path) {
    int file = openat(directory, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    char *content = malloc(MAXIMUM_CONTENT);
    ssize_t length = content ? read(file, content, MAXIMUM_CONTENT) : -1;
    close(file);
    if (length >= 0) table_note("status", content, length, 1);
    free(content);
}

static int is_watched(uint64_t descriptor) { return descriptor < WATCHED ? watched[descriptor] : 0; }

static void remember(struct pending *pending, enum kind kind, uint64_t first, uint64_t second, uint64_t third) {
    *pending = (struct pending){kind, {first, second, third}};
}

void edges_enter(struct pending *pending, int64_t number, const uint64_t a[static 6]) {
    pending->kind = NOTHING;
    switch (number) {
#ifdef SYS_rename
    case SYS_rename: remember(pending, RENAMED, (uint64_t)AT_FDCWD, a[1], 0); break;
    case SYS_open: remember(pending, OPENED, (uint64_t)AT_FDCWD, a[0], a[1]); break;
    case SYS_creat: remember(pending, OPENED, (uint64_t)AT_FDCWD, a[0], O_WRONLY); break;
    case SYS_dup2: remember(pending, COPIED, a[0], a[1], 0); break;
#endif
#ifdef SYS_renameat
    case SYS_renameat: remember(pending, RENAMED, a[2], a[3], 0); break;
#endif
    case SYS_renameat2: remember(pending, RENAMED, a[2], a[3], 0); break;
    case SYS_openat: remember(pending, OPENED, a[0], a[1], a[2]); break;
    case SYS_dup:
    case SYS_dup3: remember(pending, COPIED, a[0], 0, 0); break;
    case SYS_fcntl:
        if (a[1] == F_DUPFD || a[1] == F_DUPFD_CLOEXEC) remember(pending, COPIED, a[0], 0, 0);
        break;
    case SYS_close: remember(pending, CLOSED, a[0], 0, 0); break;
    case SYS_close_range: remember(pending, CLOSED_RANGE, a[0], a[1], a[2]); break;
    case SYS_write:
        if (is_watched(a[0])) remember(pending, WRITTEN, a[0], a[1], 0);
        break;
    case SYS_mmap:
        if (a[3] & MAP_FIXED) remember(pending, UNMAPPED, 0, 0, 0);
        if (a[2] & PROT_EXEC) remember(pending, MAPPED, 0, 0, 0);
        break;
    case SYS_munmap: remember(pending, MAPPED, 0, 0, 0); break;
    case SYS_brk:
    case SYS_mprotect:
    case SYS_mremap:
    case SYS_shmdt: remember(pending, UNMAPPED, 0, 0, 0); break;
    default: break;
    }
}

static void opened(int directory, const char *path, int flags, int64_t descriptor) {
    if (descriptor >= WATCHED) return;
    watched[descriptor] = 0;
    if ((flags & O_ACCMODE) == O_RDONLY) return;
    const char *name = last_component(path);
    if (strcmp(name, trace_name) == 0) watched[descriptor] = 2;
    if (strcmp(name, status_name) == 0 && directory == AT_FDCWD) {
        watched[descriptor] = 1;
        snprintf(status_path, sizeof status_path, "%s", path);
    }
}

static void written(uint64_t descriptor, const char *bytes, int64_t length) {
    if (is_watched(descriptor) == 2 && length <= MAXIMUM_CONTENT) table_note("event", bytes, length, 1);
    if (is_watched(descriptor) == 1) note_status(AT_FDCWD, status_path);
}

// What a call that succeeded was given has been read by the kernel, so it can be read here.
void edges_leave(struct pending *pending, int64_t result) {
    const uint64_t *a = pending->arguments;
    enum kind kind = pending->kind;
    pending->kind = NOTHING;
    if (kind == NOTHING || result < 0) return;
    switch (kind) {
    case RENAMED:
        if (strcmp(last_component((const char *)a[1]), status_name) == 0) note_status((int)a[0], (const char *)a[1]);
        break;
    case OPENED: opened((int)a[0], (const char *)a[1], (int)a[2], result); break;
    case WRITTEN: written(a[0], (const char *)a[1], result); break;
    case CLOSED:
        if (a[0] < WATCHED) watched[a[0]] = 0;
        break;
    case CLOSED_RANGE:
        for (uint64_t file = a[0]; file <= a[1] && file < WATCHED; file++) watched[file] = 0;
        break;
    case COPIED:
        if (result < WATCHED) watched[result] = is_watched(a[0]);
        break;
    case MAPPED:
        maps_changed();
        python_unmapped();
        break;
    case UNMAPPED: python_unmapped(); break;
    case NOTHING: break;
    }
}
