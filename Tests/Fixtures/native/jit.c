// jit MILLISECONDS: spends its time in code without a file, which it lists in /tmp/perf-PID.map, as a runtime
// with a just-in-time compiler does.
#define _GNU_SOURCE
#include "spin.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Counts its argument down to zero.
#if defined(__x86_64__)
static const unsigned char code[] = {0x48, 0x89, 0xf8, 0x48, 0xff, 0xc8, 0x75, 0xfb, 0xc3};
#elif defined(__aarch64__)
static const unsigned char code[] = {0x00, 0x04, 0x00, 0xf1, 0xe1, 0xff, 0xff, 0x54, 0xc0, 0x03, 0x5f, 0xd6};
#endif

int main(int count, char **arguments) {
    if (count != 2) return 64;
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return 71;
    memcpy(memory, code, sizeof code);
    __builtin___clear_cache(memory, memory + sizeof code);
    char path[64];
    snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
    FILE *map = fopen(path, "w");
    if (map == NULL) return 73;
    fprintf(map, "%lx %lx compiled::count_down\n", (unsigned long)memory, sizeof code);
    fclose(map);
    int64_t end = now_ms() + atoi(arguments[1]);
    while (now_ms() < end) ((void (*)(long))memory)(100000);
    return 0;
}
