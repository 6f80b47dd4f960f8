// threads MILLISECONDS: starts, one after the other, four threads with names that work for so long each.
#define _GNU_SOURCE
#include "spin.h"
#include <pthread.h>
#include <stdlib.h>

static int64_t milliseconds;

__attribute__((noinline)) void *thread_work(void *unused) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
    return unused;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    milliseconds = atoi(arguments[1]);
    work(20000000);
    for (int index = 0; index < 4; index++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, thread_work, NULL) != 0) return 1;
        char name[] = "worker-0";
        name[7] += index;
        pthread_setname_np(thread, name);
        pthread_join(thread, NULL);
    }
    return 0;
}
