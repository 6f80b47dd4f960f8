#ifndef FREEZE_PROFILE_CLINUX_H
#define FREEZE_PROFILE_CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/// What a process to be started gets. Descriptors of -1 are inherited as they are.
struct clinux_spawn_request {
    const char *_Nonnull path;
    char *_Nullable const *_Nonnull arguments;
    char *_Nullable const *_Nonnull environment;
    const char *_Nullable working_directory;
    int standard_input, standard_output, standard_error;
    /// Read end of a pipe: the process calls exec only after a byte arrives, and exits if the pipe closes first.
    int gate;
    /// Its write end, which is the caller's alone: held by the process too, it would keep the pipe open for ever when the
    /// caller is killed.
    int gate_writer;
    /// Write end of a close-on-exec pipe: gets errno as an int when exec or a step before it fails.
    int failure_report;
    /// More descriptors to pass on, under the same numbers.
    const int *_Nullable inherited;
    size_t inherited_count;
    /// Not zero: the process leads a process group of its own.
    int new_process_group;
    /// Signal the kernel sends the process when the starting thread ends; 0 for none.
    int parent_death_signal;
};

/// Starts a process. In C because between fork and exec only async-signal-safe calls are allowed,
/// which the Swift runtime cannot promise. Returns the process identifier, or -errno.
pid_t clinux_spawn(const struct clinux_spawn_request *_Nonnull request);
/// Raises the soft limit of open files to the hard one; what clinux_spawn starts gets the former one. Returns 0, or -errno.
int clinux_raise_open_file_limit(void);
/// How many descriptors this process may have open.
long clinux_open_file_limit(void);

/// Lets reads of mapped files go on where a file has been cut short: they find zeros, as after the end of a file that was
/// shorter from the start, instead of a deadly SIGBUS. Once for the process. Returns 0, or -errno.
int clinux_survive_truncated_files(void);

/// Copies an open file from its beginning into memory that cannot be changed any more (`memfd_create`, sealed). Returns the
/// copy's descriptor, close-on-exec, or -errno; -EFBIG where the file has more bytes than the limit.
int clinux_sealed_copy(int file, uint64_t limit);

// Wrappers for what Swift cannot import: variadic functions, macros, and system calls without one in glibc 2.36.

/// open(2) with its mode, which is variadic. Returns a descriptor, or -errno.
int clinux_open(const char *_Nonnull path, int flags, mode_t mode);
/// Which symbolic links may lead to a file that is opened.
enum clinux_links {
    CLINUX_LINKS_FOLLOWED,
    /// None in the last component (O_NOFOLLOW).
    CLINUX_LINKS_NOT_LAST,
    /// None that leads out of the directory in which the path begins (RESOLVE_BENEATH).
    CLINUX_LINKS_BENEATH,
    /// None at all (RESOLVE_NO_SYMLINKS).
    CLINUX_LINKS_NONE,
    /// None at all, and the directory in which the path begins is taken for the root (RESOLVE_IN_ROOT).
    CLINUX_LINKS_NONE_IN_ROOT,
};
/// O_PATH, declared only for GNU sources.
enum { CLINUX_PATH_ONLY = 010000000 };
/// openat2(2) without links of some kind. Where the kernel or a filter of system calls refuses openat2, the directories
/// are walked one by one with O_NOFOLLOW; then CLINUX_LINKS_BENEATH follows no link either. `always_walk` tries the walk.
/// `directory` is AT_FDCWD for the working directory. Returns a descriptor, or -errno: ELOOP and EXDEV for a link.
int clinux_open_at(int directory, const char *_Nonnull path, int flags, mode_t mode, enum clinux_links links,
                   int always_walk);
/// ioctl(TIOCGWINSZ), which is variadic. Returns 0, or -errno.
int clinux_window_size(int descriptor, uint16_t *_Nonnull columns, uint16_t *_Nonnull rows);
/// posix_openpt(3) and its peer, both close-on-exec, neither the controlling terminal; what is printed to the second is read
/// unchanged from the first. Returns 0, or -errno.
int clinux_open_terminal(int ends[_Nonnull 2], uint16_t columns, uint16_t rows);
/// ioctl(TIOCSWINSZ), which is variadic. Returns 0, or -errno.
int clinux_set_window_size(int descriptor, uint16_t columns, uint16_t rows);
/// pidfd_open(2). Returns a close-on-exec descriptor, or -errno.
int clinux_pidfd_open(pid_t pid);
/// A descriptor that is readable once a child of ours has ended, where there is no pidfd_open: before Linux 5.3, and
/// under emulators that lack it. A thread waits with waitid(2). Close-on-exec; or -errno.
int clinux_child_exit_descriptor(pid_t child);
/// pidfd_send_signal(2). Returns 0, or -errno.
int clinux_pidfd_send_signal(int pidfd, int signal);
/// The exit status of a process that is not our child, as wait(2) encodes it, through PIDFD_GET_INFO
/// (Linux 6.15). Returns 0, or -errno; -EAGAIN while the process runs.
int clinux_pidfd_exit_status(int pidfd, int *_Nonnull status);
/// pipe2(2) with O_CLOEXEC, declared only for GNU sources. Returns 0, or -errno.
int clinux_pipe(int ends[_Nonnull 2]);
/// signalfd(2) for a set of signals, close-on-exec and non-blocking. Returns a descriptor, or -errno.
int clinux_signal_descriptor(const int *_Nonnull signals, size_t count);
/// The next signal of a signalfd, or 0 when none waits.
int clinux_next_signal(int descriptor);
/// clock_gettime(2) in nanoseconds. Swift sees struct timespec only through a private module.
int64_t clinux_clock_nanoseconds(clockid_t clock);
/// clock_nanosleep(2) on CLOCK_MONOTONIC until an absolute time, resumed after signals.
void clinux_sleep_until(int64_t monotonic_nanoseconds);
/// getrusage(RUSAGE_CHILDREN): user and system time of the children waited for, in nanoseconds.
int64_t clinux_waited_children_cpu_nanoseconds(void);
/// What the kernel reports to the process that waits for a process, about it and its own waited-for children.
struct clinux_usage {
    /// User and system time.
    int64_t cpu_nanoseconds;
    /// The largest of any one of them.
    int64_t peak_resident_kibibytes;
    int64_t major_faults, minor_faults;
    int64_t voluntary_switches, involuntary_switches;
    /// In units of 512 bytes.
    int64_t blocks_read, blocks_written;
};
/// wait4(2), resumed after signals. Returns the process identifier, or -errno.
pid_t clinux_wait(pid_t pid, int *_Nonnull status, struct clinux_usage *_Nonnull usage);
/// perf_event_open(2): counts something of a thread and of all threads and processes that it starts from now on, those
/// that have ended included: 0 CPU time in nanoseconds, 1 page faults, 2 instructions, both of user mode. Returns a
/// close-on-exec descriptor from which three numbers of 8 bytes are read: the count, the time for which there was
/// something to count, and the time for which it was counted. Or -errno.
int clinux_open_counter(int event, pid_t thread);
/// What the kernel says of a task (a thread) when it ends.
struct clinux_task_exit {
    pid_t pid, parent;
    /// The most its process had resident since the mark was last reset, as of this end.
    int64_t peak_resident_kibibytes;
    /// Its name, at most 15 bytes, ended by NUL.
    char name[32];
};
/// A taskstats socket that hears of every task that ends on some processors, such as "0-3". Needs CAP_NET_ADMIN.
/// Returns a close-on-exec, non-blocking descriptor, or -errno.
int clinux_open_task_exits(const char *_Nonnull processors);
/// The next end: 1, or 0 when there is none yet, or -errno; -ENOBUFS when some were lost.
int clinux_next_task_exit(int descriptor, struct clinux_task_exit *_Nonnull task);
/// fstatfs(2): whether a descriptor is of the kernel's own /proc, and not of a file system mounted over it.
int clinux_is_proc(int descriptor);
/// gettid(2).
pid_t clinux_thread_id(void);
/// prctl(PR_SET_CHILD_SUBREAPER). Returns 0, or -errno.
int clinux_become_subreaper(void);
/// prctl(PR_SET_PDEATHSIG). Returns 0, or -errno.
int clinux_set_parent_death_signal(int signal);
/// sched_getaffinity(2) of the calling thread: how many CPUs it may use, or -errno. cpu_set_t is handled by macros.
int clinux_allowed_cpus(void);
/// gnu_get_libc_version(3), whose header the Glibc module leaves out.
const char *_Nonnull clinux_libc_version(void);
/// The CPU-time clock of any process (clock_getcpuclockid(3) and clock_gettime(2)), all threads that live or have
/// ended. Returns nanoseconds, or -errno.
int64_t clinux_process_cpu_nanoseconds(pid_t pid);
/// prctl(PR_SET_NAME): the name of the calling thread in `ps`, cut to 15 bytes.
void clinux_set_thread_name(const char *_Nonnull name);
/// errno of the calling thread: a macro.
int clinux_errno(void);

// Sockets on the loopback interface: the address structures need casts that Swift makes unreadable.

/// socket, bind to 127.0.0.1 and listen, close-on-exec and non-blocking. `port` is the port wanted, 0 for any, and
/// gets the one bound. Returns a descriptor, or -errno.
int clinux_loopback_listen(uint16_t *_Nonnull port);
/// accept4(2): a close-on-exec connection, blocking for at most so many milliseconds per call. Returns a descriptor,
/// or -errno; -EAGAIN when no client is waiting.
int clinux_accept(int listener, int timeout_milliseconds);
/// send(2) without SIGPIPE. Returns the bytes taken, or -errno.
ssize_t clinux_send(int connection, const void *_Nullable bytes, size_t count);

/// Copies another process's memory while it runs. Returns the bytes copied, or -errno.
ssize_t clinux_read_memory(pid_t pid, uint64_t address, void *_Nonnull buffer, size_t bytes);
/// sched_setattr(2): lets the calling thread run for no longer than some nanoseconds at a time, for which the kernel lets
/// it run the sooner when it wakes. Needs no privilege. Returns 0, or -errno.
int clinux_set_slice(uint64_t nanoseconds);
/// Lets the calling thread run on one CPU only. Returns 0, or -errno.
int clinux_pin_to_cpu(int cpu);

/// A set of CPUs.
struct clinux_affinity {
    uint64_t words[16];
};

/// The CPUs that the calling thread may run on. Returns 0, or -errno.
int clinux_get_affinity(struct clinux_affinity *_Nonnull affinity);

/// Says on which CPUs the calling thread may run. Returns 0, or -errno.
int clinux_set_affinity(const struct clinux_affinity *_Nonnull affinity);

#endif
