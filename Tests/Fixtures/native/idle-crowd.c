// idle-crowd THREADS MILLISECONDS: so many threads wait for ever while the first one works; prints "ready" before it does.
#define _GNU_SOURCE
#include "spin.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *waits(void *argument) {
    pause();
    return argument;
}

__attribute__((noinline)) static void works(int64_t milliseconds) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
}

int main(int count, char **arguments) {
    if (count != 3) return 64;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    for (int left = atoi(arguments[1]); left > 0; left--) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, waits, NULL) != 0) return 1;
    }
    puts("ready");
    fflush(stdout);
    works(atoi(arguments[2]));
    return 7;
}
