#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static int result(long value) { return value < 0 ? -errno : (int)value; }

int clinux_open(const char *path, int flags, mode_t mode) { return result(open(path, flags, mode)); }

int clinux_window_size(int descriptor, uint16_t *columns, uint16_t *rows) {
    struct winsize size = {0};
    int outcome = result(ioctl(descriptor, TIOCGWINSZ, &size));
    *columns = size.ws_col;
    *rows = size.ws_row;
    return outcome;
}

int clinux_pidfd_open(pid_t pid) { return result(syscall(SYS_pidfd_open, pid, 0)); }

int clinux_pidfd_send_signal(int pidfd, int signal) {
    return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

// Debian 12's headers predate PIDFD_GET_INFO; the layout is fixed by the kernel's ABI (linux/pidfd.h).
struct pidfd_info {
    uint64_t mask, cgroup_id;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
};
enum { PIDFD_INFO_EXIT = 1 << 3 };

int clinux_pidfd_exit_status(int pidfd, int *status) {
    struct pidfd_info info = {.mask = PIDFD_INFO_EXIT};
    int outcome = result(ioctl(pidfd, _IOWR(0xFF, 11, struct pidfd_info), &info));
    if (outcome < 0) return outcome;
    if (!(info.mask & PIDFD_INFO_EXIT)) return -EAGAIN;
    *status = info.exit_code;
    return 0;
}

int clinux_pipe(int ends[2]) { return result(pipe2(ends, O_CLOEXEC)); }

int clinux_signal_descriptor(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t index = 0; index < count; index++) sigaddset(&set, signals[index]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int clinux_next_signal(int descriptor) {
    struct signalfd_siginfo information;
    return read(descriptor, &information, sizeof information) == sizeof information ? (int)information.ssi_signo : 0;
}

int64_t clinux_clock_nanoseconds(clockid_t clock) {
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void clinux_sleep_until(int64_t deadline) {
    struct timespec time = {.tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
    }
}

static int64_t cpu_nanoseconds(const struct rusage *usage) {
    int64_t seconds = (int64_t)usage->ru_utime.tv_sec + usage->ru_stime.tv_sec;
    int64_t microseconds = (int64_t)usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
    return seconds * 1000000000 + microseconds * 1000;
}

int64_t clinux_waited_children_cpu_nanoseconds(void) {
    struct rusage usage = {0};
    getrusage(RUSAGE_CHILDREN, &usage);
    return cpu_nanoseconds(&usage);
}

pid_t clinux_wait(pid_t pid, int *status, struct clinux_usage *usage) {
    struct rusage used = {0};
    pid_t waited;
    do waited = wait4(pid, status, 0, &used);
    while (waited < 0 && errno == EINTR);
    *usage = (struct clinux_usage){
        .cpu_nanoseconds = cpu_nanoseconds(&used),
        .peak_resident_kibibytes = used.ru_maxrss,
        .major_faults = used.ru_majflt,
        .minor_faults = used.ru_minflt,
        .voluntary_switches = used.ru_nvcsw,
        .involuntary_switches = used.ru_nivcsw,
        .blocks_read = used.ru_inblock,
        .blocks_written = used.ru_oublock,
    };
    return result(waited);
}

int clinux_open_counter(int event, pid_t thread) {
    static const struct {
        uint32_t type;
        uint64_t number;
    } events[] = {
        {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
        {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
        {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    };
    if (event < 0 || (size_t)event >= sizeof events / sizeof *events) return -EINVAL;
    struct perf_event_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.size = sizeof attributes;
    attributes.type = events[event].type;
    attributes.config = events[event].number;
    attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
    attributes.inherit = 1;
    // Without these the kernel asks for privileges. The clock counts time in the kernel all the same.
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    return result(syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

int clinux_is_proc(int descriptor) {
    struct statfs status;
    return fstatfs(descriptor, &status) == 0 && status.f_type == PROC_SUPER_MAGIC;
}

pid_t clinux_thread_id(void) { return (pid_t)syscall(SYS_gettid); }

int clinux_become_subreaper(void) { return result(prctl(PR_SET_CHILD_SUBREAPER, 1)); }

int clinux_set_parent_death_signal(int signal) { return result(prctl(PR_SET_PDEATHSIG, signal)); }

int64_t clinux_process_cpu_nanoseconds(pid_t pid) {
    // What clock_getcpuclockid(3) returns, without its system call to check it: the next one checks it too.
    clockid_t clock = (clockid_t)(~(unsigned)pid << 3 | 2);
    struct timespec time = {0};
    // Of a process that is gone the kernel says that there is no such clock.
    if (clock_gettime(clock, &time) != 0) return errno == EINVAL ? -ESRCH : -errno;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void clinux_set_thread_name(const char *name) { prctl(PR_SET_NAME, name); }

int clinux_errno(void) { return errno; }

int clinux_allowed_cpus(void) {
    // The kernel refuses a set smaller than its own with EINVAL.
    for (size_t cpus = 1024; cpus <= 1 << 16; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (set == NULL) return -ENOMEM;
        size_t size = CPU_ALLOC_SIZE(cpus);
        int failed = sched_getaffinity(0, size, set) != 0;
        int result = failed ? -errno : CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (result != -EINVAL) return result;
    }
    return -EINVAL;
}

const char *clinux_libc_version(void) { return gnu_get_libc_version(); }

static void fill_missing_page(int signal, siginfo_t *information, void *context) {
    (void)context;
    static const uintptr_t page = 4096;
    // Beyond the end of a mapped file there is no page: an empty one takes its place. Both calls are system calls alone.
    void *start = (void *)((uintptr_t)information->si_addr & ~(page - 1));
    if (information->si_code == BUS_ADRERR &&
        mmap(start, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == start)
        return;
    // Anything else ends the process as it would have.
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigaction(signal, &usual, NULL);
}

int clinux_survive_truncated_files(void) {
    struct sigaction action = {.sa_sigaction = fill_missing_page, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    return result(sigaction(SIGBUS, &action, NULL));
}
