// Fixture: static functions, inlined calls two deep, a cold part, a call through the linkage table.
// Built by the tests; see SymbolicationTests/Fixture.swift for the commands.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

volatile long sink;

static inline __attribute__((always_inline)) long square(long x) {
    return x * x + sink;
}

static inline __attribute__((always_inline)) long sum_of_squares(long a, long b) {
    long first = square(a);
    return first + square(b);
}

static __attribute__((noinline)) long hidden_work(long n) {
    long total = 0;
    for (long i = 0; i < n; i++) {
        total += sum_of_squares(i, n - i);
        sink = total;
    }
    return total;
}

__attribute__((noinline)) long exported_work(long n) {
    if (n < 0) {
        fprintf(stderr, "negative\n");
        abort();
    }
    return hidden_work(n) + (long)strlen(getenv("HOME") ? getenv("HOME") : "");
}

#ifndef LIBRARY
int main(int argc, char **argv) {
    printf("%ld %s\n", exported_work(argc * 1000), argv[0]);
    return 0;
}
#endif
