#include "maps.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "python.h"
#include "table.h"

/// A mapping as it stands; `number` is 0 for memory without a file, and UINT32_MAX for a file not yet noted.
struct mapping {
    uint64_t start, end;
    uint32_t number;
    /// Where its line begins in `text`, and how long it is.
    uint32_t line, length;
};

static struct mapping *mappings;
static uint32_t mapping_count;
/// The file as last read, and as read before, whose noted lines keep their numbers.
static char *text;
static int is_stale = 1;

void maps_changed(void) { __atomic_store_n(&is_stale, 1, __ATOMIC_RELEASE); }

static char *read_maps(size_t *length) {
    int file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    size_t size = 1 << 16, used = 0;
    char *bytes = malloc(size);
    while (file >= 0 && bytes) {
        ssize_t count = read(file, bytes + used, size - used);
        if (count <= 0) break;
        used += count;
        if (used == size && size < 1 << 26) bytes = realloc(bytes, size *= 2);
        if (used == size) break;
    }
    if (file >= 0) close(file);
    *length = used;
    return bytes;
}

static uint32_t number_before(const struct mapping *old, uint32_t count, const char *old_text, const char *line, uint32_t length) {
    for (uint32_t index = 0; index < count; index++)
        if (old[index].number && old[index].length == length && memcmp(old_text + old[index].line, line, length) == 0)
            return old[index].number;
    return UINT32_MAX;
}

static void refresh(void) {
    __atomic_store_n(&is_stale, 0, __ATOMIC_RELEASE);
    size_t length;
    char *fresh = read_maps(&length);
    if (fresh == NULL) return;
    uint32_t count = 0;
    for (size_t at = 0; at < length; at++) count += fresh[at] == '\n';
    struct mapping *found = calloc(count + 1, sizeof *found);
    if (found == NULL) {
        free(fresh);
        return;
    }
    uint32_t index = 0;
    for (size_t at = 0; at < length && index < count; index++) {
        char *end = memchr(fresh + at, '\n', length - at);
        if (end == NULL) break;
        struct mapping *mapping = &found[index];
        unsigned long long first, last, offset;
        int path = 0;
        mapping->line = at;
        mapping->length = end - (fresh + at);
        // Each line ends by a zero byte meanwhile, so that its path can be used.
        *end = 0;
        if (sscanf(fresh + at, "%llx-%llx %*s %llx %*s %*s %n", &first, &last, &offset, &path) >= 3) {
            mapping->start = first;
            mapping->end = last;
            if (path > 0 && fresh[at + path] == '/') python_notice(fresh + at + path, first, offset);
        }
        *end = '\n';
        if (memchr(fresh + at, '/', mapping->length))
            mapping->number = number_before(mappings, mapping_count, text, fresh + at, mapping->length);
        at += mapping->length + 1;
    }
    free(mappings);
    free(text);
    mappings = found;
    mapping_count = index;
    text = fresh;
}

static struct mapping *find(uint64_t address) {
    static uint32_t last;
    if (last < mapping_count && mappings[last].start <= address && address < mappings[last].end) return &mappings[last];
    for (uint32_t index = 0; index < mapping_count; index++)
        if (mappings[index].start <= address && address < mappings[index].end) return &mappings[last = index];
    return NULL;
}

uint32_t maps_number(uint64_t address) {
    struct mapping *mapping = __atomic_load_n(&is_stale, __ATOMIC_ACQUIRE) ? NULL : find(address);
    if (mapping == NULL) {
        refresh();
        mapping = find(address);
    }
    if (mapping == NULL) return 0;
    if (mapping->number == UINT32_MAX) mapping->number = table_mapping(text + mapping->line, mapping->length);
    return mapping->number;
}
