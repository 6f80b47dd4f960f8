// stale-returns MILLISECONDS: compiled without call-frame information. Functions whose frames hold what deeper calls have
// left on the stack, return addresses among it.
#include "spin.h"
#include <stdint.h>
#include <stdlib.h>

#define NEVER_INLINE __attribute__((noinline, noclone))
static volatile uint64_t sink;

#define DEEPER(name, next, words)                                                                                    \
    NEVER_INLINE uint64_t name(uint64_t value) {                                                                     \
        volatile uint64_t room[words];                                                                               \
        room[0] = value;                                                                                             \
        return next(value + 1) + room[0];                                                                            \
    }
NEVER_INLINE uint64_t deep0(uint64_t value) { return value * 3 + sink; }
DEEPER(deep1, deep0, 1) DEEPER(deep2, deep1, 2) DEEPER(deep3, deep2, 3) DEEPER(deep4, deep3, 1)
DEEPER(deep5, deep4, 6) DEEPER(deep6, deep5, 2) DEEPER(deep7, deep6, 1) DEEPER(deep8, deep7, 4)
DEEPER(deep9, deep8, 1) DEEPER(deep10, deep9, 3) DEEPER(deep11, deep10, 2) DEEPER(deep12, deep11, 1)

#define WORKER(number, words)                                                                                        \
    NEVER_INLINE uint64_t work_##number(uint64_t rounds) {                                                           \
        volatile uint64_t room[words];                                                                               \
        uint64_t value = rounds;                                                                                     \
        for (uint64_t index = 0; index < rounds; index++) value = value * 6364136223846793005u + index;              \
        room[(words) - 1] = value;                                                                                   \
        return value + room[(words) - 1];                                                                            \
    }                                                                                                                \
    NEVER_INLINE uint64_t call_##number(void) {                                                                      \
        uint64_t value = deep12(9 + sink);                                                                           \
        value += work_##number(400000);                                                                              \
        return value + 3;                                                                                            \
    }
WORKER(1, 17) WORKER(2, 18) WORKER(3, 19) WORKER(4, 20) WORKER(5, 21) WORKER(6, 22) WORKER(7, 23) WORKER(8, 24)
WORKER(9, 25) WORKER(10, 26) WORKER(11, 27) WORKER(12, 28)

int main(int count, char **arguments) {
    if (count != 2) return 64;
    int64_t end = now_ms() + atoi(arguments[1]);
    while (now_ms() < end)
        sink += call_1() + call_2() + call_3() + call_4() + call_5() + call_6() + call_7() + call_8() + call_9() +
                call_10() + call_11() + call_12();
    return 0;
}
