// sleep-pipe-spin MILLISECONDS: three threads, of which one sleeps, one waits for a pipe that no thread writes to, and
// one computes. Prints "done" and ends with 7.
#define _GNU_SOURCE
#include "spin.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int64_t milliseconds;
static int ends[2];

__attribute__((noinline)) void *dozes_in_here(void *unused) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {
    }
    return unused;
}
__attribute__((noinline)) void *reads_the_pipe(void *unused) {
    char byte;
    if (read(ends[0], &byte, 1) != 0) exit(3);
    return unused;
}
__attribute__((noinline)) void *spins_around(void *unused) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
    return unused;
}

int main(int count, char **arguments) {
    if (count != 2 || pipe(ends) != 0) return 64;
    milliseconds = atoi(arguments[1]);
    void *(*bodies[])(void *) = {dozes_in_here, spins_around, reads_the_pipe};
    const char *names[] = {"dozes", "spins", "reads"};
    pthread_t threads[3];
    for (int index = 0; index < 3; index++) {
        if (pthread_create(&threads[index], NULL, bodies[index], NULL) != 0) return 1;
        pthread_setname_np(threads[index], names[index]);
    }
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    close(ends[1]);
    pthread_join(threads[2], NULL);
    puts("done");
    return 7;
}
