#define _GNU_SOURCE
#include "CStageMarker.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "request.h"

#define EXPORTED __attribute__((visibility("default")))

enum { MAXIMUM_CONTENT = 1 << 18 };

/// The beginning of the directory's file `shared`, as in count tables.
struct shared {
    uint64_t epoch;
    uint32_t next_serial, uncounted;
};

static const char status_name[] = ".pipeline_status.json";
static const char directory_variable[] = "FREEZE_PROFILE_COUNTS", image_variable[] = "FREEZE_PROFILE_IMAGE=";

static struct shared *shared;
static const char *directory;
static uint32_t serial;
/// What callgrind names this program's counts by, besides the process.
static const char *image = "";
/// The newest edge when the counts that are not yet written down began.
static uint64_t since;

int freeze_profile_stage_marker(void) { return 1; }

// MARK: Files

static void append(const char *name, const struct iovec *pieces, int count) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || writev(file, pieces, count) < 0) __atomic_add_fetch(&shared->uncounted, 1, __ATOMIC_RELAXED);
    if (file >= 0) close(file);
}

/// A line `KIND PROCESS IMAGE EDGE` in the file `processes`: from which edge on a program counts, or that it has ended.
static void note_process(const char *kind) {
    char line[160];
    int length =
        snprintf(line, sizeof line, "%s %d %.32s %llu\n", kind, getpid(), image, (unsigned long long)since);
    append("processes", &(struct iovec){line, (size_t)length}, 1);
}

static void begin(void) {
    serial = __atomic_add_fetch(&shared->next_serial, 1, __ATOMIC_RELAXED);
    since = __atomic_load_n(&shared->epoch, __ATOMIC_ACQUIRE);
    note_process("begin");
}

/// Callgrind copies what its parent has counted and not written down.
static void begin_forked(void) {
    callgrind_zero();
    if (shared != NULL) begin();
}

__attribute__((constructor)) static void start(void) {
    char path[4200];
    directory = getenv(directory_variable);
    if (directory == NULL) return;
    snprintf(path, sizeof path, "%s/shared", directory);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) return;
    shared = memory;
    // The part after the name is a plain number.
    image = getenv("FREEZE_PROFILE_IMAGE") ? strdup(getenv("FREEZE_PROFILE_IMAGE")) : "";
    pthread_atfork(NULL, NULL, begin_forked);
    begin();
}

// MARK: Edges

/// Has callgrind write down what it has counted since the last time: from the edge `since` on, before `until`.
static void cut(uint64_t until) {
    char text[96];
    snprintf(text, sizeof text, "segment %llu %llu", (unsigned long long)since, (unsigned long long)until);
    callgrind_dump(text);
    since = until;
}

/// Cuts where another process has made an edge meanwhile. Called where a program hands over to another one or waits for it.
static void catch_up(void) {
    if (shared == NULL) return;
    int before = errno;
    uint64_t epoch = __atomic_load_n(&shared->epoch, __ATOMIC_ACQUIRE);
    if (epoch != since) cut(epoch);
    errno = before;
}

static void status_replaced(int parent, const char *path) {
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (shared == NULL || strcmp(name, status_name) != 0) return;
    int before = errno, file = openat(parent, path, O_RDONLY | O_CLOEXEC);
    char *content = file >= 0 ? malloc(MAXIMUM_CONTENT) : NULL, head[160];
    ssize_t length = content ? read(file, content, MAXIMUM_CONTENT) : -1;
    if (file >= 0) close(file);
    if (length >= 0) {
        uint64_t epoch = __atomic_add_fetch(&shared->epoch, 1, __ATOMIC_ACQ_REL);
        int head_length = snprintf(
            head, sizeof head, "status %llu %u %d %zd\n", (unsigned long long)epoch, serial, gettid(), length);
        struct iovec pieces[] = {{head, (size_t)head_length}, {content, (size_t)length}, {"\n", 1}};
        append("notes", pieces, 3);
        cut(epoch);
    }
    free(content);
    errno = before;
}

/// The C library's own function of a name.
#define ORIGINAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

EXPORTED int rename(const char *from, const char *to) {
    int result = ORIGINAL(rename)(from, to);
    if (result == 0) status_replaced(AT_FDCWD, to);
    return result;
}

EXPORTED int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    int result = ORIGINAL(renameat)(from_directory, from, to_directory, to);
    if (result == 0) status_replaced(to_directory, to);
    return result;
}

EXPORTED int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    int result = ORIGINAL(renameat2)(from_directory, from, to_directory, to, flags);
    if (result == 0) status_replaced(to_directory, to);
    return result;
}

// MARK: Other processes

EXPORTED pid_t fork(void) {
    catch_up();
    return ORIGINAL(fork)();
}

// Callgrind makes of it a fork, but one that calls no handlers.
EXPORTED pid_t vfork(void) { return fork(); }

EXPORTED pid_t wait(int *status) {
    catch_up();
    pid_t result = ORIGINAL(wait)(status);
    catch_up();
    return result;
}

EXPORTED pid_t waitpid(pid_t pid, int *status, int options) {
    catch_up();
    pid_t result = ORIGINAL(waitpid)(pid, status, options);
    catch_up();
    return result;
}

EXPORTED pid_t wait3(int *status, int options, struct rusage *usage) {
    catch_up();
    pid_t result = ORIGINAL(wait3)(status, options, usage);
    catch_up();
    return result;
}

EXPORTED pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage) {
    catch_up();
    pid_t result = ORIGINAL(wait4)(pid, status, options, usage);
    catch_up();
    return result;
}

/// What a process executes before it becomes another program is lost to callgrind unless it is written down, and the next one's
/// counts need another name than its own.
static void before_execution(void) {
    if (shared == NULL) return;
    cut(__atomic_load_n(&shared->epoch, __ATOMIC_ACQUIRE));
    note_process("end");
}

/// The environment with a name for the counts of the next program; the same where there is no memory for it.
static char **environment_for_next(char *const *variables, char name[static 64]) {
    size_t count = 0, length = sizeof image_variable - 1;
    while (variables && variables[count]) count++;
    char **copy = shared ? malloc((count + 2) * sizeof *copy) : NULL;
    if (copy == NULL) return (char **)variables;
    size_t kept = 0;
    for (size_t index = 0; index < count; index++)
        if (strncmp(variables[index], image_variable, length) != 0) copy[kept++] = variables[index];
    snprintf(name, 64, "%s%u", image_variable, serial);
    copy[kept++] = name;
    copy[kept] = NULL;
    return copy;
}

static int execute(const char *path, char *const *arguments, char *const *variables, int is_searched) {
    char name[64];
    before_execution();
    char **all = environment_for_next(variables, name);
    int result =
        is_searched ? ORIGINAL(execvpe)(path, arguments, all) : ORIGINAL(execve)(path, arguments, all);
    if (all != variables) free(all);
    // The process goes on as it was.
    if (shared != NULL) note_process("begin");
    return result;
}

EXPORTED int execve(const char *path, char *const arguments[], char *const variables[]) {
    return execute(path, arguments, variables, 0);
}
EXPORTED int execv(const char *path, char *const arguments[]) { return execute(path, arguments, environ, 0); }
EXPORTED int execvp(const char *file, char *const arguments[]) { return execute(file, arguments, environ, 1); }
EXPORTED int execvpe(const char *file, char *const arguments[], char *const variables[]) {
    return execute(file, arguments, variables, 1);
}

/// The rest is written by callgrind itself when the process ends.
static void finish(void) {
    if (shared == NULL) return;
    catch_up();
    note_process("end");
}

__attribute__((destructor)) static void end(void) { finish(); }

EXPORTED __attribute__((noreturn)) void _exit(int status) {
    finish();
    ORIGINAL(_exit)(status);
    __builtin_unreachable();
}
EXPORTED __attribute__((noreturn)) void _Exit(int status) { _exit(status); }
