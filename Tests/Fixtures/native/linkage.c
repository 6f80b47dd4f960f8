// linkage MILLISECONDS: calls a small function of libc again and again, through the procedure linkage table.
#include "spin.h"
#include <stdlib.h>
#include <strings.h>

__attribute__((noinline)) long calls_out(void) {
    long sum = 0;
    // Through a volatile, so that the compiler has to call.
    for (volatile int index = 0; index < 100000; index++) sum += ffsl(index);
    return sum;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    int64_t end = now_ms() + atoi(arguments[1]);
    long sum = 0;
    while (now_ms() < end) sum += calls_out();
    return sum == 1;
}
