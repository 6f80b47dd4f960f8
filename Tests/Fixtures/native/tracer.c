// tracer PID: traces a process without stopping it, says so, and goes on until it is killed.
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(int count, char **arguments) {
    if (count != 2 || ptrace(PTRACE_SEIZE, atoi(arguments[1]), NULL, NULL) != 0) return 1;
    puts("tracing");
    fflush(stdout);
    pause();
    return 0;
}
