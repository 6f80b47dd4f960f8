// interrupted SECONDS DEPTH FRAME_BYTES: computes below so many calls with frames of about so many bytes, and prints how much
// of its time was taken from it: the milliseconds a second between two readings of the clock that follow each other. What
// took longer than 100 us is left out: that was another program's turn, not an interrupt.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds = 1;
static size_t frame_bytes = 64;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

__attribute__((noinline)) static int64_t watch(void) {
    int64_t last = now(), end = last + (int64_t)(seconds * 1e9), taken = 0, longest_reading = 1000, longest_interrupt = 100000;
    while (last < end) {
        int64_t next = now(), gap = next - last;
        if (gap > longest_reading && gap < longest_interrupt) taken += gap;
        last = next;
    }
    return taken;
}

__attribute__((noinline)) static int64_t descend(int level) {
    volatile char frame[frame_bytes];
    frame[0] = 0;
    int64_t taken = level == 0 ? watch() : descend(level - 1);
    __asm__ volatile("" : "+r"(taken));
    return taken + frame[0];
}

int main(int count, char **arguments) {
    if (count > 1) seconds = atof(arguments[1]);
    int depth = count > 2 ? atoi(arguments[2]) : 40;
    if (count > 3) frame_bytes = strtoul(arguments[3], NULL, 10);
    if (seconds <= 0 || depth < 0 || frame_bytes < 1 || frame_bytes > 4096) return 64;
    printf("TAKEN %.3f\n", (double)descend(depth) / 1e6 / seconds);
    return 0;
}
