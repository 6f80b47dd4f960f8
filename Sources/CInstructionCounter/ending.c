#define _GNU_SOURCE
#include "ending.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAXIMUM_ENDING = 512, PAUSE_MICROSECONDS = 100, LONGEST_MICROSECONDS = 2000000 };

/// Threads by their numbers, 0 for a free place. A thread that finds none is not waited for.
static int32_t ending[MAXIMUM_ENDING];

void ending_begin(void) {
    int32_t own = (int32_t)gettid();
    for (int index = 0; index < MAXIMUM_ENDING; index++) {
        int32_t before = __atomic_load_n(&ending[index], __ATOMIC_RELAXED);
        // The place of a thread that is gone will do as well.
        if (before != 0 && (syscall(SYS_tgkill, getpid(), before, 0) == 0 || errno != ESRCH)) continue;
        if (__atomic_compare_exchange_n(&ending[index], &before, own, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
    }
}

// The kernel reports the end of a thread only to a thread that joins it, so the end is polled for.
void ending_wait(void) {
    int waited = 0, before = errno;
    for (int index = 0; index < MAXIMUM_ENDING; index++) {
        int32_t thread;
        while ((thread = __atomic_load_n(&ending[index], __ATOMIC_ACQUIRE)) != 0 && waited < LONGEST_MICROSECONDS) {
            if (syscall(SYS_tgkill, getpid(), thread, 0) != 0 && errno == ESRCH) {
                __atomic_compare_exchange_n(&ending[index], &thread, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
                break;
            }
            nanosleep(&(struct timespec){0, PAUSE_MICROSECONDS * 1000}, NULL);
            waited += PAUSE_MICROSECONDS;
        }
    }
    errno = before;
}

void ending_fork(void) { memset(ending, 0, sizeof ending); }
