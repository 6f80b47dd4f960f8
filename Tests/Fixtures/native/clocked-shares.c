// clocked-shares ROUNDS: spends about 70, 20 and 10 % of its time in three functions, and prints the CPU nanoseconds that
// each really took: how fast such a loop runs depends on where the linker put it. A round is 100 million turns,
// many sampling periods long, so that it does not beat with the period.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

__attribute__((noinline)) void seventy(void) {
    for (volatile long index = 0; index < 70000000; index++) {
    }
}
__attribute__((noinline)) void twenty(void) {
    for (volatile long index = 0; index < 20000000; index++) {
    }
}
__attribute__((noinline)) void ten(void) {
    for (volatile long index = 0; index < 10000000; index++) {
    }
}

static long long cpu(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    void (*functions[])(void) = {seventy, twenty, ten};
    long long spent[3] = {0};
    for (int round = atoi(arguments[1]); round > 0; round--) {
        for (int index = 0; index < 3; index++) {
            long long before = cpu();
            functions[index]();
            spent[index] += cpu() - before;
        }
    }
    printf("%lld %lld %lld\n", spent[0], spent[1], spent[2]);
    return 0;
}
