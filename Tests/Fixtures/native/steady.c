// steady MILLISECONDS: two threads compute checksums of known value while a child ends every few milliseconds. Prints
// the checksums, and whether each child's end was reported by a SIGCHLD of its own.
#define _GNU_SOURCE
#include "spin.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t told;
static long rounds;

static void child_ended(int number) { told += number == SIGCHLD; }

__attribute__((noinline)) static void *checksum(void *seed) {
    uint64_t value = (uint64_t)seed;
    for (long index = 0; index < rounds; index++) value = value * 6364136223846793005u + (uint64_t)index;
    return (void *)value;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    // A count of rounds, not of time: the result must not depend on how fast it went.
    rounds = atol(arguments[1]) * 300000;
    struct sigaction action = {.sa_handler = child_ended};
    sigaction(SIGCHLD, &action, NULL);
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    pthread_t threads[2];
    for (long index = 0; index < 2; index++)
        if (pthread_create(&threads[index], NULL, checksum, (void *)(index + 1)) != 0) return 1;
    int children = 40;
    for (int index = 0; index < children; index++) {
        pid_t child = fork();
        if (child == 0) {
            usleep(1000);
            _exit(0);
        }
        int expected = index + 1;
        while (told < expected) sigsuspend(&before);
        if (waitpid(child, NULL, 0) != child) return 2;
    }
    uint64_t sum = 0;
    for (int index = 0; index < 2; index++) {
        void *value;
        pthread_join(threads[index], &value);
        sum ^= (uint64_t)value;
    }
    printf("%016llx %d\n", (unsigned long long)sum, told == children);
    return 7;
}
