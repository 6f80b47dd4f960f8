// waits MILLISECONDS: four threads that compute, sleep once, sleep again and again, and wait for a lock.
#define _GNU_SOURCE
#include "spin.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t milliseconds;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) void nap(int64_t nanoseconds) {
    struct timespec time = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {
    }
}
__attribute__((noinline)) void *computes(void *unused) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
    return unused;
}
__attribute__((noinline)) void *sleeps_once(void *unused) {
    nap(milliseconds * 1000000);
    return unused;
}
__attribute__((noinline)) void *sleeps_often(void *unused) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) {
        nap(7000000);
        work(1000);
    }
    return unused;
}
__attribute__((noinline)) void *waits_for_lock(void *unused) {
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return unused;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    milliseconds = atoi(arguments[1]);
    void *(*bodies[])(void *) = {computes, sleeps_once, sleeps_often, waits_for_lock};
    const char *names[] = {"computes", "sleeps-once", "sleeps-often", "waits-for-lock"};
    pthread_t threads[4];
    pthread_mutex_lock(&lock);
    for (int index = 0; index < 4; index++) {
        if (pthread_create(&threads[index], NULL, bodies[index], NULL) != 0) return 1;
        pthread_setname_np(threads[index], names[index]);
    }
    for (int index = 0; index < 3; index++) pthread_join(threads[index], NULL);
    pthread_mutex_unlock(&lock);
    pthread_join(threads[3], NULL);
    puts("done");
    return 7;
}
