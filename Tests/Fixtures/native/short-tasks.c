// short-tasks KIND COUNT MICROSECONDS: COUNT tasks of some CPU time each, one after the other, and then as much at a
// stretch. KIND is thread, fork, exec, vfork, spawn or pool (one thread that takes task after task). Prints the CPU
// nanoseconds of short_work and of long_work by their own clocks, and those of the whole by the kernel's.
#define _GNU_SOURCE
#include "spin.h"
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
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

static sem_t wanted, done;

static void *serve(void *argument) {
    (void)argument;
    while (1) {
        sem_wait(&wanted);
        *spent += short_work(each);
        sem_post(&done);
    }
    return NULL;
}

static int64_t rusage_ns(int who) {
    struct rusage usage;
    getrusage(who, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static void run_process(char kind, char *program) {
    extern char **environ;
    char nanoseconds[32];
    snprintf(nanoseconds, sizeof nanoseconds, "%lld", (long long)each);
    char *arguments[] = {"short-one", "one", nanoseconds, NULL};
    pid_t child = -1;
    if (kind == 's') {
        if (posix_spawn(&child, program, NULL, NULL, arguments, environ) != 0) exit(1);
    } else if (kind == 'v') {
        child = vfork();
        if (child == 0) {
            execv(program, arguments);
            _exit(1);
        }
    } else {
        child = fork();
        if (child == 0) {
            if (kind == 'e') execv(program, arguments);
            if (kind == 'f') run(NULL);
            _exit(0);
        }
    }
    waitpid(child, NULL, 0);
    if (kind != 'f') *spent += each;
}

int main(int count, char **arguments) {
    if (count == 3 && strcmp(arguments[1], "one") == 0) {
        short_work(atoll(arguments[2]));
        return 0;
    }
    if (count != 4) return 64;
    char kind = arguments[1][0];
    int tasks = atoi(arguments[2]);
    each = atoll(arguments[3]) * 1000;
    spent = mmap(NULL, sizeof *spent, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_t thread;
    if (kind == 'p') {
        sem_init(&wanted, 0, 0);
        sem_init(&done, 0, 0);
        if (pthread_create(&thread, NULL, serve, NULL) != 0) return 1;
    }
    for (int index = 0; index < tasks; index++) {
        if (kind == 't') {
            if (pthread_create(&thread, NULL, run, NULL) != 0) return 1;
            pthread_join(thread, NULL);
        } else if (kind == 'p') {
            sem_post(&wanted);
            sem_wait(&done);
        } else {
            run_process(kind, arguments[0]);
        }
    }
    int64_t longer = long_work(tasks * each);
    int64_t whole = rusage_ns(RUSAGE_SELF) + rusage_ns(RUSAGE_CHILDREN);
    printf("%lld %lld %lld\n", (long long)*spent, (long long)longer, (long long)whole);
    return 0;
}
