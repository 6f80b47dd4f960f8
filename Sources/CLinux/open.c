#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(CLINUX_PATH_ONLY == O_PATH, "the kernel's value");

static int opened(long value) { return value < 0 ? -errno : (int)value; }

/// Opens a path component by component, none of which may be a link.
static int walk(int directory, const char *path, int flags, mode_t mode, int is_confined) {
    char name[256];
    int current = -1;
    if (*path == '/' && is_confined != 2) {
        if (is_confined) return -EXDEV;
        current = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (current < 0) return -errno;
    }
    while (*path == '/') path++;
    for (;;) {
        size_t length = strcspn(path, "/");
        const char *rest = path + length;
        while (*rest == '/') rest++;
        int base = current >= 0 ? current : directory;
        int result;
        if (length >= sizeof name) {
            result = -ENAMETOOLONG;
        } else {
            memcpy(name, path, length);
            name[length] = 0;
            int leaves = is_confined && strcmp(name, "..") == 0;
            const char *next = length == 0 ? "." : name;
            if (leaves) result = -EXDEV;
            else if (*rest) result = opened(openat(base, next, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            else result = opened(openat(base, next, flags | O_NOFOLLOW, mode));
            // With O_PATH and O_DIRECTORY a link is reported as no directory.
            if (result == -ENOTDIR && *rest) {
                char target[1];
                if (readlinkat(base, next, target, sizeof target) >= 0) result = -ELOOP;
            }
        }
        if (current >= 0) close(current);
        if (result < 0 || !*rest) return result;
        current = result;
        path = rest;
    }
}

int clinux_open_at(int directory, const char *path, int flags, mode_t mode, enum clinux_links links, int always_walk) {
    if (links == CLINUX_LINKS_FOLLOWED) return opened(openat(directory, path, flags, mode));
    if (links == CLINUX_LINKS_NOT_LAST) return opened(openat(directory, path, flags | O_NOFOLLOW, mode));
    struct open_how how = {.flags = (uint64_t)flags, .mode = flags & O_CREAT ? mode : 0};
    if (links == CLINUX_LINKS_BENEATH) how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    else if (links == CLINUX_LINKS_NONE_IN_ROOT) how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS;
    else how.resolve = RESOLVE_NO_SYMLINKS;
    // EAGAIN: a directory on the way was moved meanwhile.
    for (int attempt = 0; !always_walk && attempt < 16; attempt++) {
        int result = opened(syscall(SYS_openat2, directory, path, &how, sizeof how));
        // Filters of system calls that are older than openat2 answer EPERM.
        if (result == -ENOSYS || result == -EPERM) break;
        if (result != -EAGAIN) return result;
        if (attempt == 15) return result;
    }
    int is_confined = links == CLINUX_LINKS_NONE_IN_ROOT ? 2 : links == CLINUX_LINKS_BENEATH;
    return walk(directory, path, flags, mode, is_confined);
}
