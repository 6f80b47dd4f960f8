#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t clinux_read_memory(pid_t pid, uint64_t address, void *buffer, size_t bytes) {
    struct iovec ours = {buffer, bytes}, theirs = {(void *)address, bytes};
    ssize_t count = process_vm_readv(pid, &ours, 1, &theirs, 1, 0);
    return count < 0 ? -errno : count;
}

int clinux_pin_to_cpu(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

int clinux_set_slice(uint64_t nanoseconds) {
    // struct sched_attr, which glibc 2.36 does not declare: of an ordinary thread the runtime is its slice (Linux 6.12).
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {.size = 48, .nice = getpriority(PRIO_PROCESS, 0), .runtime = nanoseconds};
    return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0 ? 0 : -errno;
}
