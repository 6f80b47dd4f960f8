// crowd MILLISECONDS: two hundred threads, of which all wait but one in fifty, which works.
#define _GNU_SOURCE
#include "spin.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t milliseconds;
static pthread_barrier_t barrier;

__attribute__((noinline)) static void busy(void) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
}
__attribute__((noinline)) static void *member(void *number) {
    if ((long)number % 50 == 0) busy();
    pthread_barrier_wait(&barrier);
    return number;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    milliseconds = atoi(arguments[1]);
    pthread_barrier_init(&barrier, NULL, 201);
    pthread_t threads[200];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    for (long index = 0; index < 200; index++)
        if (pthread_create(&threads[index], &attributes, member, (void *)index) != 0) return 1;
    pthread_barrier_wait(&barrier);
    for (int index = 0; index < 200; index++) pthread_join(threads[index], NULL);
    puts("done");
    return 7;
}
