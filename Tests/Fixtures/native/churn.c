// churn MILLISECONDS: starts threads that end at once, one after the other, and prints that all came back.
#include "spin.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) static void *brief(void *number) {
    work(20000 + 1000 * ((long)number % 50));
    return number;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    int64_t end = now_ms() + atoi(arguments[1]);
    int is_right = 1;
    for (long number = 0; now_ms() < end; number++) {
        pthread_t threads[3];
        for (long index = 0; index < 3; index++)
            if (pthread_create(&threads[index], NULL, brief, (void *)(number + index)) != 0) return 1;
        for (long index = 0; index < 3; index++) {
            void *result;
            pthread_join(threads[index], &result);
            is_right &= result == (void *)(number + index);
        }
    }
    printf("%d\n", is_right);
    return 7;
}
