#define _GNU_SOURCE
#include "CPtrace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

/// Reads the beginning of a file of a thread in /proc as text. Returns the bytes read, or -errno.
static int read_text(pid_t pid, pid_t tid, const char *name, char *text, size_t capacity) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)pid, (int)tid, name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -errno;
    ssize_t count;
    do count = read(descriptor, text, capacity - 1);
    while (count < 0 && errno == EINTR);
    int error = errno;
    close(descriptor);
    if (count < 0) return -error;
    text[count] = 0;
    return (int)count;
}

int cptrace_read_schedule(pid_t pid, pid_t tid, struct cptrace_schedule *schedule) {
    char text[96];
    int count = read_text(pid, tid, "schedstat", text, sizeof text);
    if (count < 0) return count;
    char *next = text;
    schedule->cpu_nanoseconds = strtoull(next, &next, 10);
    strtoull(next, &next, 10);
    char *before = next;
    schedule->turns = strtoull(next, &next, 10);
    return next == before ? -EINVAL : 0;
}

/// The n-th field of proc(5)'s stat, counted from the state, which is the third.
static const char *field(const char *state, int number) {
    for (; number > 3 && state; number--) {
        state = strchr(state, ' ');
        if (state) state++;
    }
    return state;
}

int cptrace_argument_place(int index) {
#if defined(__x86_64__)
    // rdi rsi rdx r10 r8 r9, in the order of perf's registers.
    static const int places[cptrace_argument_count] = {5, 4, 3, 11, 9, 10};
    return places[index];
#else
    return index;
#endif
}

int cptrace_read_look(pid_t pid, pid_t tid, struct cptrace_look *look) {
    char text[1024];
    memset(look, 0, sizeof *look);
    look->system_call = look->processor = -1;
    int count = read_text(pid, tid, "stat", text, sizeof text);
    if (count < 0) return count;
    // A name may hold anything: the fields begin after its last parenthesis.
    const char *state = strrchr(text, ')');
    if (!state || state[1] != ' ') return -ESRCH;
    state += 2;
    look->state = *state;
    const char *start_code = field(state, 26), *start_stack = field(state, 28), *processor = field(state, 39);
    if (start_code) look->start_code = strtoull(start_code, NULL, 10);
    if (start_stack) look->start_stack = strtoull(start_stack, NULL, 10);
    if (processor) look->processor = atoi(processor);
    // "running", "-1 sp pc", or "number six arguments sp pc".
    count = read_text(pid, tid, "syscall", text, sizeof text);
    if (count <= 0 || text[0] == 'r') return 0;
    char *next = text;
    look->system_call = strtoll(next, &next, 10);
    for (int index = 0; look->system_call >= 0 && index < cptrace_argument_count; index++)
        look->arguments[index] = strtoull(next, &next, 16);
    look->stack_pointer = strtoull(next, &next, 16);
    look->program_counter = strtoull(next, &next, 16);
    look->is_blocked = look->program_counter != 0;
    return 0;
}

void cptrace_read_wait_channel(pid_t pid, pid_t tid, char *buffer, size_t capacity) {
    int count = read_text(pid, tid, "wchan", buffer, capacity);
    // "0" of a thread that does not sleep, and of one that we may not look at.
    if (count < 0 || (buffer[0] >= '0' && buffer[0] <= '9')) buffer[0] = 0;
}

int cptrace_check(pid_t pid, int *filtered) {
    *filtered = 0;
    // No thread has the number 0: a kernel that permits the call reports that there is no such thread.
    if (ptrace(PTRACE_SEIZE, 0, NULL, NULL) < 0 && errno != ESRCH) {
        *filtered = 1;
        return -errno;
    }
    // The kernel asks the same of a reader of this file as of a tracer.
    char text[256];
    int count = read_text(pid, pid, "syscall", text, sizeof text);
    if (count == -ENOENT) return -ESRCH;
    return count < 0 ? count : 0;
}
