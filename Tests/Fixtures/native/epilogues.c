// epilogues MILLISECONDS: spends its time entering and leaving functions that save registers.
#include "spin.h"
#include <stdlib.h>

__attribute__((noinline)) long saves(long a, long b, long depth) {
    // Callee-saved registers have to be pushed and popped around the call.
    long c = a * 3 + b, d = a ^ b, e = a - b;
    __asm__ volatile("" : "+r"(c), "+r"(d), "+r"(e) : : "memory");
    long inner = depth > 0 ? saves(b, a, depth - 1) : 1;
    __asm__ volatile("" : "+r"(c), "+r"(d), "+r"(e) : : "memory");
    return inner + c + d + e;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    int64_t end = now_ms() + atoi(arguments[1]);
    volatile long sum = 0;
    while (now_ms() < end)
        for (int index = 0; index < 10000; index++) sum += saves(index, 3, 3);
    return 0;
}
