// vfork-parent MILLISECONDS: waits in vfork for a child that sleeps so long before it ends.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) void waits_for_child(int milliseconds) {
    pid_t child = vfork();
    if (child == 0) {
        usleep((useconds_t)milliseconds * 1000);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    waits_for_child(atoi(arguments[1]));
    return 0;
}
