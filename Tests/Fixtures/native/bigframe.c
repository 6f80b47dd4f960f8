// bigframe MILLISECONDS: works below a function that keeps 100,000 bytes on the stack.
#include "spin.h"
#include <stdlib.h>
#include <string.h>

__attribute__((noinline)) void deep_work(int64_t milliseconds) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
}

__attribute__((noinline)) int big_frame(int64_t milliseconds) {
    char large[100000];
    memset(large, (int)milliseconds, sizeof large);
    deep_work(milliseconds);
    __asm__ volatile("" : : "r"(large) : "memory");
    return large[milliseconds % 100000];
}

__attribute__((noinline)) int above(int64_t milliseconds) { return big_frame(milliseconds) + 1; }

int main(int count, char **arguments) {
    if (count != 2) return 64;
    return above(atoi(arguments[1])) == 1000;
}
