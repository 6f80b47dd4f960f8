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

static void spin_for(int64_t nanoseconds) {
    int64_t begin = cpu_ns(), now;
    do {
        // Long beside the call that reads the clock, which spends its time in the kernel.
        work(5000);
        now = cpu_ns();
    } while (now - begin < nanoseconds);
}

__attribute__((noinline)) void short_work(int64_t nanoseconds) {
    spin_for(nanoseconds);
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) void long_work(int64_t nanoseconds) {
    spin_for(nanoseconds);
    __asm__ volatile("" ::: "memory");
}

static int64_t each;
/// In memory that all tasks share: of this file, which those that are executed inherit.
static int64_t *spent;
static int shared;

static void share(void) {
    spent = mmap(NULL, sizeof *spent, PROT_READ | PROT_WRITE, MAP_SHARED, shared, 0);
    if (spent == MAP_FAILED) exit(1);
    // Its page is there before anything is measured.
    __atomic_fetch_add(spent, 0, __ATOMIC_RELAXED);
}

/// The clock is read outside of the function: a process that was just made has its pages faulted in within it.
static void task(void) {
    int64_t begin = cpu_ns();
    short_work(each);
    *spent += cpu_ns() - begin;
}

static void *run(void *argument) {
    (void)argument;
    task();
    return NULL;
}

static sem_t wanted, done;

static void *serve(void *argument) {
    (void)argument;
    while (1) {
        sem_wait(&wanted);
        task();
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
    char nanoseconds[32], file[16];
    snprintf(nanoseconds, sizeof nanoseconds, "%lld", (long long)each);
    snprintf(file, sizeof file, "%d", shared);
    char *arguments[] = {"short-one", "one", nanoseconds, file, NULL};
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
}

int main(int count, char **arguments) {
    if (count == 4 && strcmp(arguments[1], "one") == 0) {
        each = atoll(arguments[2]);
        shared = atoi(arguments[3]);
        share();
        task();
        return 0;
    }
    if (count != 4) return 64;
    char kind = arguments[1][0];
    int tasks = atoi(arguments[2]);
    each = atoll(arguments[3]) * 1000;
    shared = memfd_create("spent", 0);
    if (shared < 0 || ftruncate(shared, sizeof *spent) != 0) return 1;
    share();
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
    int64_t begin = cpu_ns();
    long_work(tasks * each);
    int64_t longer = cpu_ns() - begin;
    int64_t whole = rusage_ns(RUSAGE_SELF) + rusage_ns(RUSAGE_CHILDREN);
    printf("%lld %lld %lld\n", (long long)*spent, (long long)longer, (long long)whole);
    return 0;
}
