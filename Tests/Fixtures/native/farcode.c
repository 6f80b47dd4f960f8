// farcode MILLISECONDS: works in a section that the linker puts into an executable segment of its own.
#include "spin.h"
#include <stdlib.h>

__attribute__((noinline)) int near_work(int64_t milliseconds) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
    return 1;
}
__attribute__((noinline, section(".far"))) int far_work(int64_t milliseconds) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
    return 1 + near_work(milliseconds);
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    return far_work(atoi(arguments[1])) != 2;
}
