// uninterruptible MILLISECONDS: waits in uninterruptible sleep, as the parent of vfork does.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count != 2) return 64;
    long milliseconds = atol(arguments[1]);
    pid_t child = vfork();
    if (child == 0) {
        struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
        while (nanosleep(&time, &time) != 0) {
        }
        _exit(0);
    }
    return child < 0 || waitpid(child, NULL, 0) != child;
}
