// A program whose functions cost known amounts of CPU time, with changes that can be switched on:
//   planted UNITS hot=PERCENT   hot_loop costs so many percent more
//   planted UNITS move          helper is called by finish instead of prepare
//   planted UNITS add           verify is called by finish
// Build: gcc -O1 -fno-omit-frame-pointer -o planted planted.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile unsigned long sink;

#define WORK(units)                                                    \
    do {                                                               \
        unsigned long x = 88172645463325252UL + (unsigned long)(units); \
        for (long i = 0; i < (units); i++) {                           \
            x ^= x << 13;                                              \
            x ^= x >> 7;                                               \
            x ^= x << 17;                                              \
        }                                                              \
        sink += x;                                                     \
    } while (0)

static __attribute__((noipa)) void hot_loop(long units) { WORK(units); }
static __attribute__((noipa)) void helper(long units) { WORK(units); }
static __attribute__((noipa)) void verify(long units) { WORK(units); }

static __attribute__((noipa)) void decode(long units, long more) {
    hot_loop(50 * units + 50 * units * more / 100);
    WORK(10 * units);
}

static __attribute__((noipa)) void prepare(long units, int calls_helper) {
    WORK(8 * units);
    if (calls_helper) helper(15 * units);
    sink++;
}

static __attribute__((noipa)) void finish(long units, int calls_helper, int verifies) {
    WORK(8 * units);
    if (calls_helper) helper(15 * units);
    if (verifies) verify(10 * units);
    sink++;
}

int main(int count, char **words) {
    long units = count > 1 ? atol(words[1]) : 1000000, more = 0;
    int moves = 0, adds = 0;
    for (int i = 2; i < count; i++) {
        if (strncmp(words[i], "hot=", 4) == 0) more = atol(words[i] + 4);
        moves |= strcmp(words[i], "move") == 0;
        adds |= strcmp(words[i], "add") == 0;
    }
    // In rounds, so that a machine that slows down for a moment slows all functions alike.
    for (int round = 0; round < 20; round++) {
        prepare(units / 20, !moves);
        decode(units / 20, more);
        finish(units / 20, moves, adds);
    }
    return sink == 42;
}
