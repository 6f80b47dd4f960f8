// Waits once in each of many system calls, in a process of its own, all at the same time: without a signal, and with one signal
// meanwhile whose handler restarts calls or does not. Prints, line by line, what each call returned and how often it was
// interrupted: the same with a sampler beside it as without.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIGNAL_MS = 120, END_MS = 400 };

static int ends[2], pair[2], extra = -1;
static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static uint32_t word;
static char bytes[1 << 16];
static char path[256];
static int queue;
static const struct timespec whole = {0, END_MS * 1000000L};

static struct timespec from_now(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += END_MS * 1000000L;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}
static struct timeval interval(void) { return (struct timeval){0, END_MS * 1000}; }

// What ends a wait from outside, after the signal has come.
static void feed(void) { if (write(ends[1], "x", 1) != 1) _exit(3); }
static void feed_pair(void) { if (write(pair[1], "x", 1) != 1) _exit(3); }
static void drain(void) { if (read(ends[0], bytes, sizeof bytes) < 1) _exit(3); }
static void drain_pair(void) { while (recv(pair[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0) {} }
static void post(void) { sem_post(&semaphore); }
static void wake(void) { __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST); syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }
static void count(void) { eventfd_write(extra, 1); }
static void change(void) {
    if (chdir(path) != 0 || mkdir("new", 0700) != 0) _exit(3);
}
static void call_out(void) { int fd = open(path, O_WRONLY); if (fd >= 0) close(fd); }
static void message(void) { struct { long type; char text[1]; } m = {1, {0}}; msgsnd(queue, &m, 1, 0); }
static void raise_it(void) { kill(getpid(), SIGUSR1); }
static void raise_handled(void) { kill(getpid(), SIGUSR2); }
static void come(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) _exit(3);
}
static void nothing(void) {}

// Preparations.
static void fill(void) {
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], bytes, sizeof bytes) > 0) {}
    fcntl(ends[1], F_SETFL, 0);
}
static void fill_pair(void) { while (send(pair[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0) {} }
static void event(void) { extra = eventfd(0, 0); }
static void timer(void) {
    extra = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec once = {{0, 0}, whole};
    timerfd_settime(extra, 0, &once, NULL);
}
static sigset_t user(void) { sigset_t set; sigemptyset(&set); sigaddset(&set, SIGUSR1); return set; }
static void signals(void) { sigset_t set = user(); extra = signalfd(-1, &set, 0); }
static void watch(void) {
    if (mkdir(path, 0700) != 0) _exit(3);
    extra = inotify_init();
    inotify_add_watch(extra, path, IN_CREATE);
}
static void poller(void) {
    struct epoll_event wanted = {.events = EPOLLIN};
    extra = epoll_create1(0);
    epoll_ctl(extra, EPOLL_CTL_ADD, ends[0], &wanted);
}
static void fifo(void) { if (mkfifo(path, 0600) != 0) _exit(3); }
static void listener(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    extra = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(extra, (struct sockaddr *)&address, sizeof address) != 0 || listen(extra, 1) != 0) _exit(3);
}
static void holder(int uses_flock) {
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    extra = open(path, O_RDWR);
    if (fork() == 0) {
        // A lock of another process, which it holds until it ends.
        struct flock lock = {.l_type = F_WRLCK};
        int own = open(path, O_RDWR);
        if (uses_flock) flock(own, LOCK_EX); else fcntl(own, F_SETLK, &lock);
        feed();
        nanosleep(&whole, NULL);
        _exit(0);
    }
    close(fd);
    drain();
}
static void hold(void) { holder(0); }
static void hold_flock(void) { holder(1); }
static void child(void) { if (fork() == 0) { nanosleep(&whole, NULL); _exit(5); } }
static void messages(void) { queue = msgget(IPC_PRIVATE, 0600); }
static void counters(void) { queue = semget(IPC_PRIVATE, 1, 0600); }
static void limit(void) { struct timeval time = interval(); setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time); }
static void posix_queue(void) {
    struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 1};
    snprintf(bytes, sizeof bytes, "/every-wait-%d", getpid());
    extra = mq_open(bytes, O_CREAT | O_RDWR, 0600, &attributes);
    mq_unlink(bytes);
}
static void locked(void) { pthread_mutex_lock(&mutex); }

// The waits.
static long w_read(void) { return read(ends[0], bytes, 1); }
static long w_readv(void) { struct iovec v = {bytes, 1}; return readv(ends[0], &v, 1); }
static long w_write(void) { return write(ends[1], bytes, 1); }
static long w_writev(void) { struct iovec v = {bytes, 1}; return writev(ends[1], &v, 1); }
static long w_splice(void) { return splice(ends[0], NULL, open("/dev/null", O_WRONLY), NULL, 1, 0); }
static long w_event(void) { uint64_t value; return read(extra, &value, sizeof value); }
static long w_signalfd(void) { struct signalfd_siginfo info; return read(extra, &info, sizeof info); }
static long w_inotify(void) { return read(extra, bytes, sizeof bytes) < 0 ? -1 : 1; }
static long w_poll(void) { struct pollfd p = {ends[0], POLLIN, 0}; return poll(&p, 1, -1); }
static long w_poll_time(void) { return poll(NULL, 0, END_MS); }
static long w_ppoll(void) { struct pollfd p = {ends[0], POLLIN, 0}; return ppoll(&p, 1, NULL, NULL); }
static long w_select(void) { fd_set set; FD_ZERO(&set); FD_SET(ends[0], &set); return select(ends[0] + 1, &set, NULL, NULL, NULL); }
static long w_select_time(void) { struct timeval time = interval(); return select(0, NULL, NULL, NULL, &time); }
static long w_pselect(void) { fd_set set; FD_ZERO(&set); FD_SET(ends[0], &set); return pselect(ends[0] + 1, &set, NULL, NULL, NULL, NULL); }
static long w_epoll(void) { struct epoll_event e; return epoll_wait(extra, &e, 1, -1); }
static long w_epoll_time(void) { struct epoll_event e; return epoll_wait(extra, &e, 1, END_MS); }
static long w_epoll_p(void) { struct epoll_event e; return epoll_pwait(extra, &e, 1, -1, NULL); }
static long w_nanosleep(void) { return nanosleep(&whole, NULL); }
static long w_clock(void) { return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &whole, NULL); }
static long w_clock_until(void) { struct timespec end = from_now(CLOCK_MONOTONIC); return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL); }
static long w_futex(void) { return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0); }
static long w_futex_time(void) { uint32_t own = 0; return syscall(SYS_futex, &own, FUTEX_WAIT_PRIVATE, 0, &whole, NULL, 0); }
static long w_sem(void) { return sem_wait(&semaphore); }
static long w_sem_time(void) { struct timespec end = from_now(CLOCK_REALTIME); return sem_timedwait(&semaphore, &end); }
static long w_condition(void) { struct timespec end = from_now(CLOCK_REALTIME); return pthread_cond_timedwait(&condition, &mutex, &end); }
static long w_sigwait(void) { sigset_t set = user(); return sigwaitinfo(&set, NULL); }
static long w_sigtimed(void) { sigset_t set = user(); return sigtimedwait(&set, NULL, &whole); }
static long w_pause(void) { return pause(); }
static long w_suspend(void) { sigset_t set; sigemptyset(&set); sigaddset(&set, SIGUSR1); return sigsuspend(&set); }
static long w_recv(void) { return recv(pair[0], bytes, 1, 0); }
static long w_recv_time(void) { return recv(pair[0], bytes, 1, 0); }
static long w_recvfrom(void) { return recvfrom(pair[0], bytes, 1, 0, NULL, NULL); }
static long w_recvmsg(void) { struct iovec v = {bytes, 1}; struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1}; return recvmsg(pair[0], &m, 0); }
static long w_send(void) { return send(pair[0], bytes, 1, 0); }
static long w_sendmsg(void) { struct iovec v = {bytes, 1}; struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1}; return sendmsg(pair[0], &m, 0); }
static long w_accept(void) { return accept(extra, NULL, NULL) < 0 ? -1 : 1; }
static long w_open(void) { return open(path, O_RDONLY) < 0 ? -1 : 1; }
static long w_waitpid(void) { int status = 0; return waitpid(-1, &status, 0) > 0 ? WEXITSTATUS(status) : -1; }
static long w_waitid(void) { siginfo_t info; return waitid(P_ALL, 0, &info, WEXITED) == 0 ? info.si_status : -1; }
static long w_lock(void) { struct flock lock = {.l_type = F_WRLCK}; return fcntl(extra, F_SETLKW, &lock); }
static long w_flock(void) { return flock(extra, LOCK_EX); }
static long w_message(void) { struct { long type; char text[1]; } m; return msgrcv(queue, &m, 1, 0, 0); }
static long w_counter(void) { struct sembuf take = {0, -1, 0}; return semtimedop(queue, &take, 1, &whole); }
static long w_queue(void) { struct timespec end = from_now(CLOCK_REALTIME); return mq_timedreceive(extra, bytes, sizeof bytes, NULL, &end); }

static const struct wait {
    const char *name;
    void (*prepare)(void);
    long (*call)(void);
    void (*end)(void);
} waits[] = {
    {"read", nothing, w_read, feed}, {"readv", nothing, w_readv, feed}, {"write", fill, w_write, drain},
    {"writev", fill, w_writev, drain}, {"splice", nothing, w_splice, feed}, {"eventfd", event, w_event, count},
    {"timerfd", timer, w_event, nothing}, {"signalfd", signals, w_signalfd, raise_it}, {"inotify", watch, w_inotify, change},
    {"poll", nothing, w_poll, feed}, {"poll-time", nothing, w_poll_time, nothing}, {"ppoll", nothing, w_ppoll, feed},
    {"select", nothing, w_select, feed}, {"select-time", nothing, w_select_time, nothing}, {"pselect", nothing, w_pselect, feed},
    {"epoll", poller, w_epoll, feed}, {"epoll-time", poller, w_epoll_time, nothing}, {"epoll-pwait", poller, w_epoll_p, feed},
    {"nanosleep", nothing, w_nanosleep, nothing}, {"clock-nanosleep", nothing, w_clock, nothing},
    {"clock-nanosleep-until", nothing, w_clock_until, nothing}, {"futex", nothing, w_futex, wake},
    {"futex-time", nothing, w_futex_time, nothing}, {"sem-wait", nothing, w_sem, post}, {"sem-time", nothing, w_sem_time, nothing},
    {"condition", locked, w_condition, nothing}, {"sigwaitinfo", nothing, w_sigwait, raise_it},
    {"sigtimedwait", nothing, w_sigtimed, nothing}, {"pause", nothing, w_pause, raise_handled},
    {"sigsuspend", nothing, w_suspend, raise_handled}, {"recv", nothing, w_recv, feed_pair},
    {"recv-time", limit, w_recv_time, nothing}, {"recvfrom", nothing, w_recvfrom, feed_pair},
    {"recvmsg", nothing, w_recvmsg, feed_pair}, {"send", fill_pair, w_send, drain_pair}, {"sendmsg", fill_pair, w_sendmsg, drain_pair},
    {"accept", listener, w_accept, come}, {"open-fifo", fifo, w_open, call_out}, {"waitpid", child, w_waitpid, nothing},
    {"waitid", child, w_waitid, nothing}, {"fcntl-lock", hold, w_lock, nothing}, {"flock", hold_flock, w_flock, nothing},
    {"msgrcv", messages, w_message, message}, {"semtimedop", counters, w_counter, nothing}, {"mq-receive", posix_queue, w_queue, nothing},
};
enum { WAITS = sizeof waits / sizeof *waits, VARIANTS = 3 };
static const char *const variants[VARIANTS] = {"quiet", "restarted", "interrupted"};

static void on_signal(int number) { (void)number; }

static void *end_later(void *wait) {
    nanosleep(&whole, NULL);
    ((const struct wait *)wait)->end();
    return NULL;
}

static void run(const struct wait *wait, int variant, char *line, size_t size) {
    snprintf(path, sizeof path, "wait-%s-%d", wait->name, variant);
    if (pipe(ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) _exit(3);
    sem_init(&semaphore, 0, 0);
    wait->prepare();
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = variant == 2 ? 0 : SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    // Only the thread that waits gets signals.
    sigset_t all, mine;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_t ender;
    if (pthread_create(&ender, NULL, end_later, (void *)wait) != 0) _exit(3);
    mine = user();
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    struct itimerval once = {{0, 0}, {0, SIGNAL_MS * 1000}};
    if (variant > 0) setitimer(ITIMER_REAL, &once, NULL);
    int interrupted = 0;
    long result;
    do {
        errno = 0;
        result = wait->call();
    } while (result == -1 && errno == EINTR && ++interrupted < 3 && wait->call != w_pause && wait->call != w_suspend);
    snprintf(line, size, "%s %s: %ld, %s, interrupted %d times\n", wait->name, variants[variant], result,
             result == -1 ? strerror(errno) : "ok", interrupted);
    if (wait->prepare == messages) msgctl(queue, IPC_RMID, NULL);
    if (wait->prepare == counters) semctl(queue, 0, IPC_RMID);
}

int main(int count, char **arguments) {
    if (count != 2 || chdir(arguments[1]) != 0) return 64;
    enum { LINE = 128 };
    char(*lines)[LINE] = mmap(NULL, (size_t)WAITS * VARIANTS * LINE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t processes[WAITS * VARIANTS];
    for (int index = 0; index < WAITS * VARIANTS; index++) {
        processes[index] = fork();
        if (processes[index] == 0) {
            run(&waits[index / VARIANTS], index % VARIANTS, lines[index], LINE);
            _exit(index % 64);
        }
    }
    for (int index = 0; index < WAITS * VARIANTS; index++) {
        int status = 0;
        if (waitpid(processes[index], &status, 0) != processes[index]) return 1;
        printf("%s -> %d %d\n", strtok(lines[index], "\n"), WIFEXITED(status), WEXITSTATUS(status));
    }
    return 0;
}
