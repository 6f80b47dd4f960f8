// recursion DEPTH MILLISECONDS: descends DEPTH times, works there, comes back and prints what it counted.
#include "spin.h"
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) int at_the_bottom(int64_t milliseconds) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
    return 0;
}

__attribute__((noinline)) int descend(int depth, int64_t milliseconds) {
    int result = depth == 0 ? at_the_bottom(milliseconds) : descend(depth - 1, milliseconds) + 1;
    // Something to do after the calls, so that they are not turned into jumps.
    __asm__ volatile("" : "+r"(result));
    return result;
}

int main(int count, char **arguments) {
    if (count != 3) return 64;
    printf("%d\n", descend(atoi(arguments[1]), atoi(arguments[2])));
    return 7;
}
