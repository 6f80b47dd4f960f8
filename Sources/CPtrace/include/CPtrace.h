#ifndef FREEZE_PROFILE_CPTRACE_H
#define FREEZE_PROFILE_CPTRACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The door to ptrace(2) and process_vm_readv(2). In C because ptrace is variadic and its register layouts are not
// importable, and because little may come between stopping a thread and letting it go: nothing but the copy, and what a
// caller asks to do meanwhile (`while_stopped`).

/// Registers in the order of the kernel's perf sample records, as cunwind_sample wants them.
enum { cptrace_register_count =
#if defined(__x86_64__)
    17
#elif defined(__aarch64__)
    33
#else
#error "no register layout for this architecture"
#endif
};

/// How many arguments a system call has at most.
enum { cptrace_argument_count = 6 };

/// How often a thread was given a CPU: unchanged means that it has not run.
struct cptrace_schedule {
    uint64_t cpu_nanoseconds, turns;
};
/// Reads /proc/PID/task/TID/schedstat. Returns 0, or -errno.
int cptrace_read_schedule(pid_t pid, pid_t tid, struct cptrace_schedule *_Nonnull schedule);

/// What /proc shows of a thread without stopping it.
struct cptrace_look {
    /// The state letter of /proc/PID/task/TID/stat.
    char state;
    /// Where the program's code and its first stack lie: another program after an exec has others. 0 where hidden.
    uint64_t start_code, start_stack;
    /// The CPU that it runs on, or ran on last; -1 where that is not known.
    int processor;
    /// From /proc/PID/task/TID/syscall: not zero when the thread is off its CPU, with the system call it is in (-1
    /// for none, such as a page fault) and its user stack pointer and program counter.
    int is_blocked;
    int64_t system_call;
    uint64_t stack_pointer, program_counter;
    /// The arguments of the system call, in the registers that the kernel takes them from.
    uint64_t arguments[cptrace_argument_count];
};
/// The place of a system call's argument, the first being 0, among a moment's registers.
int cptrace_argument_place(int index);
/// Reads stat, and syscall where we may. Returns 0, or -errno when the thread is gone.
int cptrace_read_look(pid_t pid, pid_t tid, struct cptrace_look *_Nonnull look);

/// Where in the kernel a thread sleeps: the name of a function of the kernel in a buffer, empty where it does not sleep
/// or the kernel does not say. Never more than `capacity` bytes with the zero that ends it.
void cptrace_read_wait_channel(pid_t pid, pid_t tid, char *_Nonnull buffer, size_t capacity);

/// Whether we could stop the threads of a process, asked without stopping any. Returns 0, or -errno: EPERM or EACCES
/// where the process is not ours, ESRCH where there is none, ENOSYS or EPERM (`*filtered` set) under a seccomp filter.
int cptrace_check(pid_t pid, int *_Nonnull filtered);

/// Lets the calling thread sleep to the microsecond and be given a CPU soon: while it waits for one, a thread of the
/// target may stand still.
void cptrace_prefer_latency(void);

/// How an attempt to copy a thread ended.
enum cptrace_outcome {
    /// The thread was stopped, copied, and runs again.
    cptrace_copied,
    /// It did not stop in time, and is still seized: cptrace_resume_attempt has to be called until it is not.
    cptrace_pending,
    /// It has ended, or is about to.
    cptrace_gone,
    /// The kernel refused; `error` says why.
    cptrace_refused,
};

/// A copied moment of a thread.
struct cptrace_moment {
    enum cptrace_outcome outcome;
    int error;
    /// Not zero: the thread was found in a stop of its process (SIGSTOP), which lasts on.
    int is_group_stop;
    /// A signal that was about to be delivered and was passed on; 0 for none.
    int signal;
    uint64_t registers[cptrace_register_count];
    /// The system call it was in (-1 for none), and that call's result so far: -EINTR, or a restart code.
    int64_t system_call, system_call_result;
    /// Copied bytes: `red_zone_bytes` below the stack pointer, and what lies above.
    size_t red_zone_bytes, stack_bytes;
    struct cptrace_schedule schedule;
    /// The longest time that the thread may have stood still for us.
    uint64_t stopped_nanoseconds;
    /// When it was stopped, or, of a pending attempt, last seen not to be: CLOCK_MONOTONIC.
    int64_t time;
};

/// A stop that is under way.
struct cptrace_stop;
/// Lets a stopped thread go before its copying is over; once, however often it is called.
void cptrace_release(struct cptrace_stop *_Nonnull stop);

/// A thread to copy.
struct cptrace_target {
    pid_t pid, tid;
    /// Not zero: the thread is the first of a process whose parent is this process. Its end is left to
    /// the code that waits for it.
    int is_own_child;
    /// How long to wait for the stop.
    uint64_t patience_nanoseconds;
    /// For cptrace_resume_attempt: the time of the pending moment.
    int64_t last_seen_running;
    uint8_t *_Nonnull buffer;
    size_t buffer_bytes;
    /// Called while the thread stands still, after it was copied; NULL for nothing. What it does the thread waits for, up to
    /// cptrace_release.
    void (*_Nullable while_stopped)(void *_Nullable context, struct cptrace_stop *_Nonnull stop);
    void *_Nullable context;
};

/// Seizes a thread, stops it, copies registers and stack, and detaches from it. Between two calls we do not trace
/// the thread. To be called by one and the same thread always, as long as an attempt is pending.
void cptrace_copy(const struct cptrace_target *_Nonnull target, struct cptrace_moment *_Nonnull moment);
/// Goes on with an attempt that is pending.
void cptrace_resume_attempt(const struct cptrace_target *_Nonnull target, struct cptrace_moment *_Nonnull moment);

/// Reads another process's memory page by page, up to the first page that cannot be read. Returns the bytes read.
size_t cptrace_read_memory(pid_t pid, uint64_t address, uint8_t *_Nonnull buffer, size_t bytes);

/// The name of a system call that threads wait in, NULL for others.
const char *_Nullable cptrace_system_call_name(int64_t number);
/// The system call that the kernel makes of an interrupted sleep.
int64_t cptrace_restart_call(void);

#endif
