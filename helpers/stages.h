/* Records for freeze-profile which stage a C or C++ pipeline is in. POSIX threads, nothing else; one file to copy.
 *
 *     #define STAGES_IMPLEMENTATION      // in one source file of the program
 *     #include "stages.h"
 *
 *     stage_begin("media_download", 3, 10);      // item 3 of 10; 0, 0 without
 *     download(url);
 *     stage_end("media_download");
 *     stages_finish();
 *
 *     { stages::Stage stage("parse"); ... }      // C++: ends with its scope
 *
 * Each begin and end appends a line to the event trace and replaces the file PIPELINE_STATUS_FILE, so that a reader never
 * sees half of it. Stages may be nested, and may run in several threads. Without the variable nothing is written; a file
 * that cannot be written is reported once on standard error, and the pipeline goes on. */
#ifndef FREEZE_PROFILE_STAGES_H
#define FREEZE_PROFILE_STAGES_H

#ifdef __cplusplus
extern "C" {
#endif
/* Opens a span of a stage: item `index` of `total`, counted from 1; 0 where there is none. */
void stage_begin(const char *name, long index, long total);
/* Closes the span of that name that this thread has begun last, else the last one of any thread. Without one nothing happens. */
void stage_end(const char *name);
/* Closes what is open and says that the last stage is over. */
void stages_finish(void);
#ifdef __cplusplus
}

namespace stages {
/* A span of a stage, from here to the end of the scope. The name has to live as long. */
class Stage {
  public:
    explicit Stage(const char *name, long index = 0, long total = 0) : name_(name) { stage_begin(name, index, total); }
    ~Stage() { stage_end(name_); }
    Stage(const Stage &) = delete;
    Stage &operator=(const Stage &) = delete;

  private:
    const char *name_;
};
}
#endif
#endif

#ifdef STAGES_IMPLEMENTATION
#undef STAGES_IMPLEMENTATION
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef O_NOFOLLOW
#error "stages.h needs POSIX 2008: define _GNU_SOURCE, or compile with -std=gnu99 or later"
#endif

struct stages_span {
    char *name; /* as JSON, with its quotes */
    long thread;
};

static struct {
    pthread_mutex_t lock;
    struct stages_span *spans; /* the latest last */
    size_t count, capacity;
    char *shown; /* what the file says while nothing is open */
    int trace, complained;
} stages_state = {PTHREAD_MUTEX_INITIALIZER, NULL, 0, 0, NULL, -1, 0};

/* Text that grows. What cannot be allocated is left out, and `failed` is set. */
struct stages_text {
    char *bytes;
    size_t length, capacity;
    int failed;
};

static void stages_add(struct stages_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || text->failed) return;
    if (text->length + (size_t)length + 1 > text->capacity) {
        size_t capacity = 2 * text->capacity + (size_t)length + 256;
        char *bytes = (char *)realloc(text->bytes, capacity);
        if (!bytes) {
            text->failed = 1;
            return;
        }
        text->bytes = bytes;
        text->capacity = capacity;
    }
    va_start(arguments, format);
    vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

/* A name as a JSON string, to be freed. */
static char *stages_quoted(const char *name) {
    struct stages_text text = {NULL, 0, 0, 0};
    stages_add(&text, "\"");
    for (; *name; name++) {
        unsigned char byte = (unsigned char)*name;
        if (byte == '"' || byte == '\\')
            stages_add(&text, "\\%c", byte);
        else if (byte < 0x20)
            stages_add(&text, "\\u%04x", byte);
        else
            stages_add(&text, "%c", byte);
    }
    stages_add(&text, "\"");
    if (!text.failed) return text.bytes;
    free(text.bytes);
    return NULL;
}

#ifndef STAGES_MONOTONIC_NS
static long long stages_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}
#define STAGES_MONOTONIC_NS stages_clock(CLOCK_MONOTONIC)
#define STAGES_EPOCH_NS stages_clock(CLOCK_REALTIME)
#endif

static void stages_event(struct stages_text *text, const char *kind, const char *name, long thread, long index, long total) {
    long long epoch = STAGES_EPOCH_NS;
    stages_add(text, "{\"event\":\"%s\",\"stage\":%s", kind, name);
    if (index > 0) stages_add(text, ",\"episode\":%ld", index);
    if (index > 0 && total > 0) stages_add(text, ",\"episode_total\":%ld", total);
    stages_add(
        text, ",\"tid\":%ld,\"pid\":%ld,\"monotonic_ns\":%lld,\"epoch_s\":%lld.%09lld}\n", thread, (long)getpid(),
        (long long)STAGES_MONOTONIC_NS, epoch / 1000000000, epoch % 1000000000);
}

/* Writes all of a text. Links are not followed. Returns 0, or -1 with errno. */
static int stages_put(int file, const struct stages_text *text) {
    size_t done = 0;
    while (done < text->length) {
        ssize_t written = write(file, text->bytes + done, text->length - done);
        if (written < 0 && errno != EINTR) return -1;
        if (written > 0) done += (size_t)written;
    }
    return 0;
}

static int stages_replace(const char *path, const char *directory, const struct stages_text *text) {
    struct stages_text temporary = {NULL, 0, 0, 0};
    stages_add(&temporary, "%s.pipeline_status.%ld", directory, (long)getpid());
    int file = temporary.failed ? -1 : open(temporary.bytes, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    int result = file < 0 ? -1 : stages_put(file, text);
    if (file >= 0 && close(file) != 0) result = -1;
    if (result == 0) result = rename(temporary.bytes, path);
    free(temporary.bytes);
    return result;
}

/* The directory of the status file with a slash at its end, to be freed; empty for the working directory. */
static char *stages_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    char *directory = (char *)malloc(length + 1);
    if (!directory) return NULL;
    memcpy(directory, path, length);
    directory[length] = 0;
    /* The last directory is made where it is missing. */
    if (length > 1) {
        directory[length - 1] = 0;
        (void)mkdir(directory, 0777);
        directory[length - 1] = '/';
    }
    return directory;
}

/* Appends events to the trace, then replaces the status file. */
static void stages_write(const char *path, const struct stages_text *events) {
    struct stages_text status = {NULL, 0, 0, 0};
    const char *shown = stages_state.count ? stages_state.spans[stages_state.count - 1].name : stages_state.shown;
    stages_add(&status, "{\"pid\":%ld,\"stage\":%s,\"active_stages\":[", (long)getpid(), shown ? shown : "\"done\"");
    for (size_t i = 0, written = 0; i < stages_state.count; i++) {
        size_t earlier = 0;
        while (earlier < i && strcmp(stages_state.spans[earlier].name, stages_state.spans[i].name) != 0) earlier++;
        if (earlier == i) stages_add(&status, "%s%s", written++ ? "," : "", stages_state.spans[i].name);
    }
    stages_add(&status, "]}\n");
    char *directory = stages_directory(path);
    int result = directory && !status.failed && !events->failed ? 0 : -1;
    if (result == 0 && stages_state.trace < 0) {
        struct stages_text trace = {NULL, 0, 0, 0};
        stages_add(&trace, "%s.pipeline_events.jsonl", directory);
        if (!trace.failed)
            stages_state.trace = open(trace.bytes, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
        free(trace.bytes);
        if (stages_state.trace < 0) result = -1;
    }
    if (result == 0) result = stages_put(stages_state.trace, events);
    if (result == 0) result = stages_replace(path, directory, &status);
    if (result != 0 && !stages_state.complained) {
        fprintf(stderr, "The stage status is not being recorded in '%s': %s\n", path, strerror(errno));
        stages_state.complained = 1;
    }
    free(directory);
    free(status.bytes);
}

static const char *stages_path(void) {
    const char *path = getenv("PIPELINE_STATUS_FILE");
    return path && *path ? path : NULL;
}

/* Closes an open span and adds its event. */
static void stages_close(size_t at, struct stages_text *events) {
    struct stages_span span = stages_state.spans[at];
    memmove(stages_state.spans + at, stages_state.spans + at + 1, (--stages_state.count - at) * sizeof span);
    stages_event(events, "end", span.name, span.thread, 0, 0);
    free(stages_state.shown);
    stages_state.shown = span.name;
}

void stage_begin(const char *name, long index, long total) {
    const char *path = stages_path();
    char *quoted = path ? stages_quoted(name) : NULL;
    if (!quoted) return;
    struct stages_text events = {NULL, 0, 0, 0};
    long thread = syscall(SYS_gettid);
    pthread_mutex_lock(&stages_state.lock);
    if (stages_state.count == stages_state.capacity) {
        size_t capacity = 2 * stages_state.capacity + 16;
        struct stages_span *spans = (struct stages_span *)realloc(stages_state.spans, capacity * sizeof *spans);
        if (spans) {
            stages_state.spans = spans;
            stages_state.capacity = capacity;
        }
    }
    if (stages_state.count < stages_state.capacity) {
        struct stages_span span = {quoted, thread};
        stages_state.spans[stages_state.count++] = span;
        stages_event(&events, "begin", quoted, thread, index, total);
        stages_write(path, &events);
    } else {
        free(quoted);
    }
    pthread_mutex_unlock(&stages_state.lock);
    free(events.bytes);
}

void stage_end(const char *name) {
    const char *path = stages_path();
    char *quoted = path ? stages_quoted(name) : NULL;
    if (!quoted) return;
    struct stages_text events = {NULL, 0, 0, 0};
    long thread = syscall(SYS_gettid);
    pthread_mutex_lock(&stages_state.lock);
    size_t found = stages_state.count, own = stages_state.count;
    for (size_t i = 0; i < stages_state.count; i++) {
        if (strcmp(stages_state.spans[i].name, quoted) != 0) continue;
        found = i;
        if (stages_state.spans[i].thread == thread) own = i;
    }
    if (own < stages_state.count) found = own;
    if (found < stages_state.count) {
        stages_close(found, &events);
        stages_write(path, &events);
    }
    pthread_mutex_unlock(&stages_state.lock);
    free(events.bytes);
    free(quoted);
}

void stages_finish(void) {
    const char *path = stages_path();
    if (!path) return;
    struct stages_text events = {NULL, 0, 0, 0};
    pthread_mutex_lock(&stages_state.lock);
    while (stages_state.count) stages_close(stages_state.count - 1, &events);
    free(stages_state.shown);
    stages_state.shown = NULL;
    stages_event(&events, "begin", "\"done\"", syscall(SYS_gettid), 0, 0);
    stages_write(path, &events);
    pthread_mutex_unlock(&stages_state.lock);
    free(events.bytes);
}
#endif
