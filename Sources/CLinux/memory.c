#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t clinux_read_memory(pid_t pid, uint64_t address, void *buffer, size_t bytes) {
    struct iovec ours = {buffer, bytes}, theirs = {(void *)address, bytes};
    ssize_t count = process_vm_readv(pid, &ours, 1, &theirs, 1, 0);
    return count < 0 ? -errno : count;
}

int clinux_sealed_copy(int file, uint64_t limit) {
    int copy = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0) return -errno;
    off_t offset = 0;
    int code = 0;
    for (;;) {
        ssize_t count = sendfile(copy, file, &offset, 16u << 20);
        if (count == 0) break;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) code = errno;
        else if ((uint64_t)offset > limit) code = EFBIG;
        if (code) break;
    }
    if (!code && fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) code = errno;
    if (!code) return copy;
    close(copy);
    return -code;
}

int clinux_pin_to_cpu(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

int clinux_get_affinity(struct clinux_affinity *affinity) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return -errno;
    _Static_assert(sizeof set <= sizeof *affinity, "room for a set of CPUs");
    memcpy(affinity, &set, sizeof set);
    return 0;
}

int clinux_set_affinity(const struct clinux_affinity *affinity) {
    return sched_setaffinity(0, sizeof(cpu_set_t), (const cpu_set_t *)affinity) == 0 ? 0 : -errno;
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
