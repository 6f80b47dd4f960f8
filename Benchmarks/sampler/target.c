// target ROUNDS: computes below forty calls; prints the nanoseconds it took and the CPU time of the whole process.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t clock_now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

__attribute__((noinline)) static uint64_t compute(long rounds) {
    uint64_t value = 1;
    for (long index = 0; index < rounds; index++) value = value * 6364136223846793005u + (uint64_t)index;
    return value;
}

__attribute__((noinline)) static uint64_t descend(int depth, long rounds) {
    uint64_t value = depth == 0 ? compute(rounds) : descend(depth - 1, rounds);
    __asm__ volatile("" : "+r"(value));
    return value;
}

int main(int count, char **arguments) {
    long rounds = count == 2 ? atol(arguments[1]) : 1;
    int64_t begin = clock_now(CLOCK_MONOTONIC);
    uint64_t value = 0;
    for (int index = 0; index < 20; index++) value ^= descend(40, rounds / 20);
    int64_t took = clock_now(CLOCK_MONOTONIC) - begin;
    printf("RESULT %lld %lld %llu\n", (long long)took, (long long)clock_now(CLOCK_PROCESS_CPUTIME_ID),
           (unsigned long long)value);
    return 0;
}
