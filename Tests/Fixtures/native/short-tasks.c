// short-tasks KIND COUNT MICROSECONDS: COUNT tasks of some CPU time each, one after the other, and then as much at a
// stretch. KIND is thread, fork or exec. Prints the CPU nanoseconds of short_work and of long_work by their own clocks.
#include "spin.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t cpu_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t spin_for(int64_t nanoseconds) {
    int64_t begin = cpu_ns(), now;
    do {
        work(200);
        now = cpu_ns();
    } while (now - begin < nanoseconds);
    return now - begin;
}

__attribute__((noinline)) int64_t short_work(int64_t nanoseconds) {
    int64_t took = spin_for(nanoseconds);
    __asm__ volatile("" ::: "memory");
    return took;
}

__attribute__((noinline)) int64_t long_work(int64_t nanoseconds) {
    int64_t took = spin_for(nanoseconds);
    __asm__ volatile("" ::: "memory");
    return took;
}

static int64_t each;
static int64_t *spent;

static void *run(void *argument) {
    (void)argument;
    *spent += short_work(each);
    return NULL;
}

int main(int count, char **arguments) {
    if (count == 3 && strcmp(arguments[1], "one") == 0) {
        short_work(atoll(arguments[2]));
        return 0;
    }
    if (count != 4) return 64;
    int tasks = atoi(arguments[2]);
    each = atoll(arguments[3]) * 1000;
    spent = mmap(NULL, sizeof *spent, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char nanoseconds[32];
    snprintf(nanoseconds, sizeof nanoseconds, "%lld", (long long)each);
    for (int index = 0; index < tasks; index++) {
        if (arguments[1][0] == 't') {
            pthread_t thread;
            if (pthread_create(&thread, NULL, run, NULL) != 0) return 1;
            pthread_join(thread, NULL);
            continue;
        }
        pid_t child = fork();
        if (child == 0) {
            if (arguments[1][0] == 'e') {
                execl(arguments[0], "short-one", "one", nanoseconds, NULL);
                _exit(1);
            }
            run(NULL);
            _exit(0);
        }
        waitpid(child, NULL, 0);
        if (arguments[1][0] == 'e') *spent += each;
    }
    int64_t longer = long_work(tasks * each);
    printf("%lld %lld\n", (long long)*spent, (long long)longer);
    return 0;
}
