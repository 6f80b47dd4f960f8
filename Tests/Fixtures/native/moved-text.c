// moved-text MILLISECONDS: copies its own code to memory without a file in the same place, as programs do that want large
// pages, and works there.
#define _GNU_SOURCE
#include "spin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

__attribute__((noinline)) void works_in_moved_text(int64_t milliseconds) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
}

static int moves_text(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long start = 0, end = 0, low, high;
    char line[512], rights[8];
    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &low, &high, rights) == 3 && rights[2] == 'x' &&
            (unsigned long)works_in_moved_text >= low && (unsigned long)works_in_moved_text < high)
            start = low, end = high;
    if (maps) fclose(maps);
    size_t size = end - start;
    void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (size == 0 || copy == MAP_FAILED) return 0;
    memcpy(copy, (void *)start, size);
    return mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)start) != MAP_FAILED;
}

int main(int count, char **arguments) {
    if (count != 2 || !moves_text()) return 64;
    works_in_moved_text(atoi(arguments[1]));
    return 0;
}
