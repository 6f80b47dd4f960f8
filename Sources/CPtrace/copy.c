#define _GNU_SOURCE
#include "CPtrace.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    /// Below the stack pointer, where the x86-64 ABI lets functions without calls keep things.
    red_zone = 128,
    /// A thread that runs stops within microseconds: looked for without sleeping as long as this.
    eager_nanoseconds = 30000,
    nap_nanoseconds = 20000,
};

void cptrace_prefer_latency(void) {
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    // The smallest slice: from Linux 6.12 a thread that asks for little at a time is served soon. Needs no privilege;
    // an older kernel ignores it.
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {.size = sizeof attributes, .runtime = 100000};
    attributes.nice = getpriority(PRIO_PROCESS, 0);
    syscall(SYS_sched_setattr, 0, &attributes, 0);
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

size_t cptrace_read_memory(pid_t pid, uint64_t address, uint8_t *buffer, size_t bytes) {
    // A call may end early between two pieces, not inside one (process_vm_readv(2)): the pieces are pages.
    enum { pieces = 256 };
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    size_t total = 0;
    while (total < bytes) {
        struct iovec theirs[pieces];
        size_t count = 0, wanted = 0;
        while (count < pieces && total + wanted < bytes) {
            uint64_t start = address + total + wanted;
            size_t size = page - start % page;
            if (size > bytes - total - wanted) size = bytes - total - wanted;
            theirs[count++] = (struct iovec){(void *)start, size};
            wanted += size;
        }
        struct iovec ours = {buffer + total, wanted};
        ssize_t got = process_vm_readv(pid, &ours, 1, theirs, count, 0);
        if (got <= 0) break;
        total += (size_t)got;
        if ((size_t)got < wanted) break;
    }
    return total;
}

#if defined(__x86_64__)
static void take_registers(const struct user_regs_struct *from, struct cptrace_moment *moment) {
    const uint64_t ordered[] = {
        from->rax, from->rbx, from->rcx, from->rdx, from->rsi, from->rdi, from->rbp, from->rsp, from->rip,
        from->r8,  from->r9,  from->r10, from->r11, from->r12, from->r13, from->r14, from->r15,
    };
    memcpy(moment->registers, ordered, sizeof ordered);
    moment->system_call = (int64_t)from->orig_rax;
    moment->system_call_result = (int64_t)from->rax;
}
static uint64_t stack_pointer(const struct cptrace_moment *moment) { return moment->registers[7]; }
#else
static void take_registers(const struct user_regs_struct *from, struct cptrace_moment *moment) {
    for (int index = 0; index < 31; index++) moment->registers[index] = from->regs[index];
    moment->registers[31] = from->sp;
    moment->registers[32] = from->pc;
    // The number of the system call is not known here: the idle check then simply never applies.
    moment->system_call = -1;
    moment->system_call_result = 0;
}
static uint64_t stack_pointer(const struct cptrace_moment *moment) { return moment->registers[31]; }
#endif

static int detach(pid_t tid, int signal) {
    return ptrace(PTRACE_DETACH, tid, NULL, (void *)(intptr_t)signal) < 0 ? -errno : 0;
}

struct cptrace_stop {
    pid_t tid;
    int signal, is_released, result;
    int64_t since;
    struct cptrace_moment *moment;
};

void cptrace_release(struct cptrace_stop *stop) {
    if (stop->is_released) return;
    stop->is_released = 1;
    stop->result = detach(stop->tid, stop->signal);
    stop->moment->stopped_nanoseconds = (uint64_t)(now() - stop->since);
}

/// Copies a stopped thread and lets it go, whatever fails on the way.
static void copy_and_release(const struct cptrace_target *target, int status, int64_t since, struct cptrace_moment *moment) {
    int event = status >> 8, signal = status & 0xFF;
    moment->time = now();
    struct user_regs_struct registers;
    struct iovec piece = {&registers, sizeof registers};
    int result = ptrace(PTRACE_GETREGSET, target->tid, (void *)(intptr_t)NT_PRSTATUS, &piece) < 0 ? -errno : 0;
    if (result == 0) {
        take_registers(&registers, moment);
        uint64_t sp = stack_pointer(moment);
        moment->red_zone_bytes = red_zone;
        moment->stack_bytes = cptrace_read_memory(target->pid, sp - red_zone, target->buffer, target->buffer_bytes);
        if (moment->stack_bytes <= red_zone) {
            // The stack pointer may stand at the lower end of its memory.
            moment->red_zone_bytes = 0;
            moment->stack_bytes = cptrace_read_memory(target->pid, sp, target->buffer, target->buffer_bytes);
        }
        // While it stands still: what it is given from here on is ours, up to where it blocks again.
        if (cptrace_read_schedule(target->pid, target->tid, &moment->schedule) < 0)
            moment->schedule = (struct cptrace_schedule){0, 0};
    }
    moment->is_group_stop = event == PTRACE_EVENT_STOP && signal != SIGTRAP;
    // Only a stop for the delivery of a signal holds one, which would be lost with any other number (P4). A detached
    // thread goes back to the stop of its process by itself (P9).
    moment->signal = event == 0 ? signal : 0;
    struct cptrace_stop stop = {target->tid, moment->signal, 0, 0, since, moment};
    if (result == 0 && target->while_stopped) target->while_stopped(target->context, &stop);
    cptrace_release(&stop);
    if (result == 0) result = stop.result;
    // Killed in its stop: there is nothing left to let go.
    moment->outcome = result == 0 ? cptrace_copied : result == -ESRCH ? cptrace_gone : cptrace_refused;
    moment->error = -result;
}

void cptrace_resume_attempt(const struct cptrace_target *target, struct cptrace_moment *moment) {
    // The code that started a child of this process waits for it. The ends of other processes must be collected here: the
    // kernel reports them to their parents only after that.
    int options = WSTOPPED | WNOHANG | __WALL | (target->is_own_child ? 0 : WEXITED);
    int64_t begin = now(), running = target->last_seen_running ? target->last_seen_running : begin;
    while (1) {
        siginfo_t information;
        memset(&information, 0, sizeof information);
        int64_t asked = now();
        int result = waitid(P_PID, (id_t)target->tid, &information, options);
        if (result < 0 && errno != EINTR) {
            // Ended, or swept away by another thread's exec.
            moment->outcome = cptrace_gone;
            moment->error = errno;
            return;
        }
        if (result == 0 && information.si_pid != 0) {
            if (information.si_code != CLD_TRAPPED && information.si_code != CLD_STOPPED) {
                moment->outcome = cptrace_gone;
                return;
            }
            copy_and_release(target, information.si_status, running, moment);
            return;
        }
        running = asked;
        int64_t waited = now() - begin;
        if (waited >= (int64_t)target->patience_nanoseconds) {
            moment->outcome = cptrace_pending;
            moment->time = asked;
            return;
        }
        // Not sched_yield: on a busy machine it gives away milliseconds in which the thread may stand still already.
        if (waited >= eager_nanoseconds) {
            struct timespec nap = {0, nap_nanoseconds};
            nanosleep(&nap, NULL);
        }
    }
}

void cptrace_copy(const struct cptrace_target *target, struct cptrace_moment *moment) {
    memset(moment, 0, sizeof *moment);
    // No options: PTRACE_O_EXITKILL would take the target along with us.
    if (ptrace(PTRACE_SEIZE, target->tid, NULL, NULL) < 0) {
        moment->error = errno;
        moment->outcome = errno == ESRCH ? cptrace_gone : cptrace_refused;
        return;
    }
    // A thread that is already in a stop of its process traps by itself. A failure means that it is ending: the wait
    // below reports.
    ptrace(PTRACE_INTERRUPT, target->tid, NULL, NULL);
    cptrace_resume_attempt(target, moment);
}
