// family MILLISECONDS: forks a child that works, then one that becomes another program (itself, as "exec") and works.
#include "spin.h"
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) void forked_work(int64_t milliseconds) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
}

__attribute__((noinline)) void executed_work(int64_t milliseconds) {
    int64_t end = now_ms() + milliseconds;
    while (now_ms() < end) work(100000);
}

int main(int count, char **arguments) {
    if (count == 3 && strcmp(arguments[1], "exec") == 0) {
        executed_work(atoi(arguments[2]));
        return 0;
    }
    if (count != 2) return 64;
    int64_t milliseconds = atoi(arguments[1]);
    if (fork() == 0) {
        forked_work(milliseconds);
        _exit(0);
    }
    wait(NULL);
    if (fork() == 0) {
        execl(arguments[0], arguments[0], "exec", arguments[1], NULL);
        _exit(1);
    }
    wait(NULL);
    return 0;
}
