#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct awaited {
    pid_t pid;
    int end;
};

/// Waits for a child's end without taking it away from the process that reaps it, and closes the pipe.
static void *await_exit(void *data) {
    struct awaited *awaited = data;
    siginfo_t information;
    while (waitid(P_PID, (id_t)awaited->pid, &information, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    close(awaited->end);
    free(awaited);
    return NULL;
}

int clinux_child_exit_descriptor(pid_t child) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
    struct awaited *awaited = malloc(sizeof *awaited);
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, previous;
    int error = awaited == NULL ? ENOMEM : pthread_attr_init(&attributes);
    if (error == 0) {
        *awaited = (struct awaited){child, ends[1]};
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 1 << 16);
        // Signals are for the threads that wait for them.
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &previous);
        error = pthread_create(&thread, &attributes, await_exit, awaited);
        pthread_sigmask(SIG_SETMASK, &previous, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (error == 0) return ends[0];
    free(awaited);
    close(ends[0]);
    close(ends[1]);
    return -error;
}
