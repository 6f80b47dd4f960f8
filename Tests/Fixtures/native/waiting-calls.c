// waiting-calls MILLISECONDS: threads that each wait in another system call, for ever or with a time-out, and two event
// loops that compute a little between their waits. Prints how many calls were interrupted (EINTR).
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "spin.h"

static atomic_long interrupted;
static atomic_int is_over;
static int pair[2], event, notifications, queue, semaphores, polled;

static void take(long result) {
    if (result < 0 && errno == EINTR) interrupted++;
}

static void *waits(void *argument) {
    static uint32_t word;
    struct epoll_event found;
    struct timespec hour = {3600, 0};
    struct pollfd one = {pair[0], POLLIN, 0};
    struct sembuf down = {0, -1, 0};
    struct {
        long kind;
        char text[8];
    } message;
    char bytes[4096];
    sigset_t signals;
    fd_set set;
    while (!is_over) {
        errno = 0;
        switch ((intptr_t)argument) {
        case 0: take(epoll_wait(polled, &found, 1, -1)); break;
        case 1: take(poll(&one, 1, -1)); break;
        case 2:
            FD_ZERO(&set);
            FD_SET(pair[0], &set);
            take(select(pair[0] + 1, &set, NULL, NULL, NULL));
            break;
        case 3: take(read(notifications, bytes, sizeof bytes)); break;
        case 4: take(recv(pair[0], bytes, 8, 0)); break;
        case 5: take(read(event, bytes, 8)); break;
        case 6:
            sigemptyset(&signals);
            sigaddset(&signals, SIGUSR2);
            take(sigtimedwait(&signals, NULL, &hour));
            break;
        case 7: take(msgrcv(queue, &message, sizeof message.text, 0, 0)); break;
        case 8: take(semop(semaphores, &down, 1)); break;
        case 9: take(syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0)); break;
        case 10: take(syscall(SYS_futex, &word, FUTEX_WAIT, 0, &hour, NULL, 0)); break;
        case 11: take(nanosleep(&hour, NULL)); break;
        case 12: take(pause()); break;
        case 13: take(recvfrom(pair[1], bytes, 8, 0, NULL, NULL)); break;
        case 14: take(epoll_pwait(polled, &found, 1, 3600000, NULL)); break;
        case 15: take(semtimedop(semaphores, &down, 1, &hour)); break;
        // Event loops: awake half of the time.
        default:
            take(epoll_wait(polled, &found, 1, 1));
            work(300000);
        }
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) return 1;
    event = eventfd(0, 0);
    notifications = inotify_init();
    queue = msgget(IPC_PRIVATE, 0600);
    semaphores = semget(IPC_PRIVATE, 1, 0600);
    polled = epoll_create1(0);
    for (intptr_t kind = 0; kind < 18; kind++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, waits, (void *)kind) != 0) return 1;
    }
    int64_t end = now_ms() + atoi(arguments[1]);
    while (now_ms() < end) {
        struct timespec nap = {0, 20000000};
        nanosleep(&nap, NULL);
    }
    is_over = 1;
    msgctl(queue, IPC_RMID, NULL);
    semctl(semaphores, 0, IPC_RMID);
    printf("%ld\n", atomic_load(&interrupted));
    return 0;
}
