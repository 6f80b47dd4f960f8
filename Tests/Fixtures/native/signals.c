// signals MILLISECONDS: is interrupted by a timer while it works; the handler works for so long. Prints "done".
#define _GNU_SOURCE
#include "spin.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

static volatile sig_atomic_t is_done;
static int64_t milliseconds;

__attribute__((noinline)) void work_in_handler(void) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
    is_done = 1;
}

void handler(int signal) {
    (void)signal;
    work_in_handler();
}

// Nothing but a jump to itself: what interrupts it does so at a function's first instruction.
__attribute__((naked, noinline)) void interrupted(void) {
    __asm__ volatile("1: cmpl $0, is_done(%rip)\n jne 2f\n jmp 1b\n 2: ret");
}

__attribute__((noinline)) int outer(void) {
    interrupted();
    return is_done;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    milliseconds = atoi(arguments[1]);
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {.it_value = {.tv_usec = 20000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    if (outer()) puts("done");
    return 0;
}
