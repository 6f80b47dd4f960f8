/* stacks DEPTH PATHS THREADS: busy threads whose stacks have so many frames, along so many different paths. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

static unsigned depth, paths;
volatile uint64_t sink;

uint64_t left(unsigned path, unsigned left_over, uint64_t value);
uint64_t right(unsigned path, unsigned left_over, uint64_t value);

/* A path is a row of left and right: its bits, again and again. */
static inline __attribute__((always_inline)) uint64_t step(unsigned path, unsigned rest, uint64_t value) {
    if (rest == 0) {
        for (int i = 0; i < 40000; i++) value = value * 6364136223846793005ULL + 1442695040888963407ULL;
        sink = value;
        return value;
    }
    value = (path >> (rest & 15)) & 1 ? left(path, rest - 1, value) : right(path, rest - 1, value);
    sink = value;
    return value + 1;
}

__attribute__((noinline)) uint64_t left(unsigned path, unsigned rest, uint64_t value) {
    value = step(path, rest, value);
    sink = value;
    return value ^ 1;
}

__attribute__((noinline)) uint64_t right(unsigned path, unsigned rest, uint64_t value) {
    value = step(path, rest, value);
    sink = value;
    return value ^ 2;
}

static void *work(void *seed) {
    uint64_t value = (uint64_t)(uintptr_t)seed;
    unsigned random = (unsigned)value;
    for (;;) {
        random = random * 1664525u + 1013904223u;
        value = left((random >> 8) % paths, depth, value);
    }
    return 0;
}

int main(int count, char **words) {
    if (count < 4) return 64;
    depth = (unsigned)atoi(words[1]);
    paths = (unsigned)atoi(words[2]);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 8 << 20);
    for (int i = 1; i < atoi(words[3]); i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, work, (void *)(uintptr_t)i)) return 1;
    }
    work((void *)(uintptr_t)99);
}
