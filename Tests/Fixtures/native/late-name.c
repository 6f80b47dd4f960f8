// late-name MILLISECONDS: a thread that sleeps, and gets its name when it has slept for a third of that.
#define _GNU_SOURCE
#include "spin.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

static int64_t milliseconds;

static void nap(int64_t length) {
    struct timespec time = {length / 1000, length % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {
    }
}
__attribute__((noinline)) void *sleeps(void *unused) {
    nap(milliseconds);
    return unused;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    milliseconds = atoi(arguments[1]);
    pthread_t thread;
    if (pthread_create(&thread, NULL, sleeps, NULL) != 0) return 1;
    nap(milliseconds / 3);
    pthread_setname_np(thread, "named-late");
    pthread_join(thread, NULL);
    return 7;
}
