// ended-leader MILLISECONDS: the first thread ends at once; another works so long and ends the process.
#include "spin.h"
#include <pthread.h>
#include <stdlib.h>

static int64_t milliseconds;

__attribute__((noinline)) void *outlives_leader(void *unused) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
    exit(0);
    return unused;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    milliseconds = atoi(arguments[1]);
    pthread_t thread;
    if (pthread_create(&thread, NULL, outlives_leader, NULL) != 0) return 1;
    pthread_exit(NULL);
}
