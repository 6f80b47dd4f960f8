// vdso MILLISECONDS: does nothing but ask the time.
#include "spin.h"
#include <stdlib.h>

int main(int count, char **arguments) {
    if (count != 2) return 64;
    int64_t end = now_ms() + atoi(arguments[1]);
    while (now_ms() < end) {
    }
    return 0;
}
