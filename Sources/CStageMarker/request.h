// Requests of a program to callgrind, which are instructions that do nothing elsewhere. Declared by hand because valgrind's
// headers are not needed to run it.
#ifndef REQUEST_H
#define REQUEST_H

#include <stdint.h>

enum callgrind_request { CALLGRIND_ZERO_STATS = 'C' << 24 | 'T' << 16 | 1, CALLGRIND_DUMP_STATS_AT = 'C' << 24 | 'T' << 16 | 3 };

static inline void callgrind_request(enum callgrind_request number, uint64_t argument) {
    volatile uint64_t request[6] = {number, argument, 0, 0, 0, 0};
#if defined(__x86_64__)
    uint64_t result = 0;
    __asm__ volatile(
        "rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
        : "=d"(result)
        : "a"(&request[0]), "0"(result)
        : "cc", "memory");
#elif defined(__aarch64__)
    uint64_t result = 0;
    __asm__ volatile(
        "mov x3, %1; mov x4, %2; ror x12, x12, #3; ror x12, x12, #13; ror x12, x12, #51; ror x12, x12, #61; "
        "orr x10, x10, x10; mov %0, x3"
        : "=r"(result)
        : "r"(result), "r"(&request[0])
        : "cc", "memory", "x3", "x4");
#else
    (void)request;
#endif
}

/// Writes the counts since the last time to a file of their own, with a text as the reason.
static inline void callgrind_dump(const char *reason) {
    callgrind_request(CALLGRIND_DUMP_STATS_AT, (uint64_t)(uintptr_t)reason);
}

/// Forgets the counts since the last time.
static inline void callgrind_zero(void) { callgrind_request(CALLGRIND_ZERO_STATS, 0); }

#endif
