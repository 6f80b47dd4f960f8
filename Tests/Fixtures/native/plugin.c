// A shared object for plugins.c; FRAME is what it keeps on the stack, so that two of them unwind differently.
#include "spin.h"
#include <string.h>

__attribute__((noinline)) int plugin(int64_t milliseconds) {
    char frame[FRAME];
    memset(frame, 1, sizeof frame);
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) {
        work(100000);
        __asm__ volatile("" : : "r"(frame) : "memory");
    }
    return frame[FRAME - 1];
}
