#define _GNU_SOURCE
#include "CPtrace.h"

#include <sys/syscall.h>

/// System calls that threads are found waiting in. Others go by their number.
#define EACH_CALL(CALL)                                                                                              \
    CALL(read) CALL(write) CALL(readv) CALL(writev) CALL(pread64) CALL(pwrite64) CALL(preadv) CALL(pwritev)          \
    CALL(ppoll) CALL(pselect6) CALL(epoll_pwait) CALL(futex) CALL(nanosleep) CALL(clock_nanosleep) CALL(wait4)       \
    CALL(waitid) CALL(accept) CALL(accept4) CALL(connect) CALL(recvfrom) CALL(sendto) CALL(recvmsg) CALL(sendmsg)    \
    CALL(recvmmsg) CALL(sendmmsg) CALL(rt_sigsuspend) CALL(rt_sigtimedwait) CALL(restart_syscall) CALL(io_getevents) \
    CALL(fsync) CALL(fdatasync) CALL(sync) CALL(syncfs) CALL(flock) CALL(fcntl) CALL(ioctl) CALL(openat) CALL(close) \
    CALL(splice) CALL(tee) CALL(vmsplice) CALL(sendfile) CALL(mq_timedreceive) CALL(mq_timedsend) CALL(msgrcv)       \
    CALL(msgsnd) CALL(semop) CALL(semtimedop) CALL(fallocate) CALL(sync_file_range) CALL(mmap) CALL(munmap)          \
    CALL(mprotect) CALL(madvise) CALL(mremap) CALL(msync) CALL(brk) CALL(execve) CALL(exit) CALL(exit_group)         \
    CALL(clone) CALL(getdents64) CALL(unlinkat) CALL(mkdirat) CALL(renameat) CALL(ftruncate) CALL(truncate)          \
    CALL(readahead) CALL(getrandom) CALL(copy_file_range) CALL(statfs) CALL(fstat)

const char *cptrace_system_call_name(int64_t number) {
    switch (number) {
#define CALL(name)                                                                                                   \
    case SYS_##name: return #name;
        EACH_CALL(CALL)
#ifdef SYS_poll
        CALL(poll)
        CALL(select)
        CALL(epoll_wait)
        CALL(pause)
        CALL(open)
        CALL(stat)
        CALL(lstat)
        CALL(unlink)
        CALL(rename)
        CALL(mkdir)
        CALL(vfork)
#endif
#ifdef SYS_newfstatat
        CALL(newfstatat)
#endif
#ifdef SYS_io_uring_enter
        CALL(io_uring_enter)
#endif
#ifdef SYS_epoll_pwait2
        CALL(epoll_pwait2)
#endif
#ifdef SYS_futex_waitv
        CALL(futex_waitv)
#endif
#ifdef SYS_clone3
        CALL(clone3)
#endif
#ifdef SYS_renameat2
        CALL(renameat2)
#endif
    }
    return 0;
}

int64_t cptrace_restart_call(void) { return SYS_restart_syscall; }
