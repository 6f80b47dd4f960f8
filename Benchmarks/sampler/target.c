// target ROUNDS [DEPTH [THREADS]]: computes below so many calls in so many threads; prints the nanoseconds it took and the
// CPU time of the whole process. The work is the same however many threads share it.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int depth = 40;
static long rounds_of_thread;

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

__attribute__((noinline)) static uint64_t descend(int level, long rounds) {
    uint64_t value = level == 0 ? compute(rounds) : descend(level - 1, rounds);
    __asm__ volatile("" : "+r"(value));
    return value;
}

static void *body(void *unused) {
    (void)unused;
    uint64_t value = 0;
    for (int index = 0; index < 20; index++) value ^= descend(depth, rounds_of_thread / 20);
    return (void *)value;
}

int main(int count, char **arguments) {
    long rounds = count > 1 ? atol(arguments[1]) : 1;
    if (count > 2) depth = atoi(arguments[2]);
    int threads = count > 3 ? atoi(arguments[3]) : 1;
    if (depth < 0 || threads < 1 || threads > 1000) return 64;
    rounds_of_thread = rounds / threads;
    pthread_t workers[1000];
    uint64_t value = 0;
    int64_t begin = clock_now(CLOCK_MONOTONIC);
    if (threads == 1) value = (uint64_t)body(NULL);
    else {
        for (int index = 0; index < threads; index++)
            if (pthread_create(&workers[index], NULL, body, NULL) != 0) return 1;
        for (int index = 0; index < threads; index++) {
            void *result;
            pthread_join(workers[index], &result);
            value ^= (uint64_t)result;
        }
    }
    int64_t took = clock_now(CLOCK_MONOTONIC) - begin;
    printf("RESULT %lld %lld %llu\n", (long long)took, (long long)clock_now(CLOCK_PROCESS_CPUTIME_ID),
           (unsigned long long)value);
    return 0;
}
