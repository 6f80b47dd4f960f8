// shares MILLISECONDS: spends 70, 20 and 10 % of its time in three functions.
#include "spin.h"
#include <stdlib.h>

__attribute__((noinline)) void seventy(void) {
    for (volatile long index = 0; index < 70000; index++) {
    }
}
__attribute__((noinline)) void twenty(void) {
    for (volatile long index = 0; index < 20000; index++) {
    }
}
__attribute__((noinline)) void ten(void) {
    for (volatile long index = 0; index < 10000; index++) {
    }
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    int64_t end = now_ms() + atoi(arguments[1]);
    while (now_ms() < end) {
        seventy();
        twenty();
        ten();
    }
    return 0;
}
