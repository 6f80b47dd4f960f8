#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/// The soft limit of open files before we raised it; 0 when we have not.
static _Atomic rlim_t former_open_file_limit;

int clinux_raise_open_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
    if (limit.rlim_cur >= limit.rlim_max) return 0;
    rlim_t none = 0;
    atomic_compare_exchange_strong(&former_open_file_limit, &none, limit.rlim_cur);
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : -errno;
}

long clinux_open_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    return limit.rlim_cur > LONG_MAX ? LONG_MAX : (long)limit.rlim_cur;
}

static int restore_open_file_limit(void) {
    rlim_t former = atomic_load(&former_open_file_limit);
    struct rlimit limit;
    if (former == 0) return 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    limit.rlim_cur = former;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

static int place(int source, int target) {
    if (source < 0) return 0;
    if (source == target) return fcntl(target, F_SETFD, 0);
    return dup2(source, target) < 0 ? -1 : 0;
}

static void restore_signals(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) {
        struct sigaction current;
        // A signal that the user's shell ignores for us (nohup) stays ignored.
        if (sigaction(number, NULL, &current) == 0 && current.sa_handler != SIG_IGN) sigaction(number, &action, NULL);
    }
    // We ignore SIGPIPE for ourselves; a shell pipeline inside the target expects it.
    sigaction(SIGPIPE, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int wait_for_gate(int gate) {
    char byte;
    ssize_t count;
    do count = read(gate, &byte, 1);
    while (count < 0 && errno == EINTR);
    return count == 1;
}

static int prepare(const struct clinux_spawn_request *request, pid_t parent) {
    if (request->parent_death_signal) {
        if (prctl(PR_SET_PDEATHSIG, request->parent_death_signal) != 0) return -1;
        // The parent may have died before the line above took effect.
        if (getppid() != parent) _exit(127);
    }
    if (request->new_process_group && setpgid(0, 0) != 0) return -1;
    if (place(request->standard_input, 0) != 0 || place(request->standard_output, 1) != 0 ||
        place(request->standard_error, 2) != 0)
        return -1;
    for (size_t index = 0; index < request->inherited_count; index++)
        if (fcntl(request->inherited[index], F_SETFD, 0) != 0) return -1;
    if (request->working_directory && chdir(request->working_directory) != 0) return -1;
    return restore_open_file_limit();
}

pid_t clinux_spawn(const struct clinux_spawn_request *request) {
    pid_t parent = getpid();
    sigset_t all, previous;
    sigfillset(&all);
    // No handler of ours may run in the child before it has its own dispositions.
    sigprocmask(SIG_SETMASK, &all, &previous);
    pid_t child = fork();
    if (child != 0) {
        int error = errno;
        sigprocmask(SIG_SETMASK, &previous, NULL);
        return child < 0 ? -error : child;
    }
    int failed = prepare(request, parent);
    if (!failed) {
        restore_signals();
        if (request->gate >= 0) close(request->gate_writer);
        if (request->gate >= 0 && !wait_for_gate(request->gate)) _exit(127);
        execve(request->path, request->arguments, request->environment);
    }
    int error = errno;
    if (request->failure_report >= 0 && write(request->failure_report, &error, sizeof error) < 0) _exit(126);
    _exit(127);
}
