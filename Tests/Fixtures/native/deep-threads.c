// deep-threads MILLISECONDS: four threads, started one after the other, and a child process work for so long, each below
// sixty calls.
#define _GNU_SOURCE
#include "spin.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t milliseconds;

__attribute__((noinline)) void deep_work(void) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
}

__attribute__((noinline)) int descend(int depth) {
    int result = 0;
    if (depth > 0) result = descend(depth - 1) + 1;
    else deep_work();
    __asm__ volatile("" : "+r"(result));
    return result;
}

static void *body(void *unused) {
    descend(60);
    return unused;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    milliseconds = atoi(arguments[1]);
    pthread_t threads[4];
    for (int index = 0; index < 4; index++) {
        if (pthread_create(&threads[index], NULL, body, NULL) != 0) return 1;
        if (index == 1 && fork() == 0) {
            descend(60);
            _exit(0);
        }
        usleep(30000);
    }
    for (int index = 0; index < 4; index++) pthread_join(threads[index], NULL);
    wait(NULL);
    return 0;
}
