// Work for a stretch of wall time without system calls: the clock is read through the vdso.
#include <stdint.h>
#include <time.h>

static inline int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static inline void work(long rounds) {
    for (volatile long index = 0; index < rounds; index++) {
    }
}
