// The kernel's account of every task that ends (taskstats): by generic netlink, whose message macros Swift cannot import.
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "CLinux.h"

/// One message of ours, with room for one attribute.
struct request {
    struct nlmsghdr header;
    struct genlmsghdr generic;
    char attributes[256];
};

static int ask(int descriptor, uint16_t family, uint8_t command, uint16_t attribute, const char *text, int wants_ack) {
    struct request request = {0};
    size_t length = strlen(text) + 1;
    struct nlattr *first = (struct nlattr *)request.attributes;
    if (NLA_HDRLEN + length > sizeof request.attributes) return -EMSGSIZE;
    first->nla_type = attribute;
    first->nla_len = (uint16_t)(NLA_HDRLEN + length);
    memcpy((char *)first + NLA_HDRLEN, text, length);
    request.generic.cmd = command;
    request.generic.version = 1;
    request.header.nlmsg_type = family;
    request.header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (wants_ack ? NLM_F_ACK : 0));
    request.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(GENL_HDRLEN) + NLA_ALIGN(first->nla_len));
    ssize_t sent = send(descriptor, &request, request.header.nlmsg_len, 0);
    return sent < 0 ? -errno : 0;
}

/// The attribute of a type among some, or null.
static const struct nlattr *find(const char *begin, size_t length, uint16_t type) {
    while (length >= NLA_HDRLEN) {
        const struct nlattr *attribute = (const struct nlattr *)begin;
        if (attribute->nla_len < NLA_HDRLEN || attribute->nla_len > length) return NULL;
        if ((attribute->nla_type & NLA_TYPE_MASK) == type) return attribute;
        size_t step = NLA_ALIGN(attribute->nla_len);
        if (step > length) return NULL;
        begin += step;
        length -= step;
    }
    return NULL;
}

/// Answers come at once, from the kernel itself: the socket need not wait. The family's number, 0 for an acknowledgement,
/// or -errno.
static int answer(int descriptor) {
    _Alignas(struct nlmsghdr) char buffer[4096];
    ssize_t length = recv(descriptor, buffer, sizeof buffer, 0);
    if (length < 0) return -errno;
    const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
    if (length < (ssize_t)sizeof *header || header->nlmsg_len > (size_t)length) return -EBADMSG;
    if (header->nlmsg_type == NLMSG_ERROR) {
        if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr))) return -EBADMSG;
        return ((const struct nlmsgerr *)NLMSG_DATA(header))->error;
    }
    if (header->nlmsg_len < NLMSG_LENGTH(GENL_HDRLEN)) return -EBADMSG;
    const char *attributes = (const char *)NLMSG_DATA(header) + GENL_HDRLEN;
    const struct nlattr *number =
        find(attributes, header->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), CTRL_ATTR_FAMILY_ID);
    if (!number || number->nla_len < NLA_HDRLEN + sizeof(uint16_t)) return -EBADMSG;
    uint16_t family;
    memcpy(&family, (const char *)number + NLA_HDRLEN, sizeof family);
    return family;
}

int clinux_open_task_exits(const char *processors) {
    int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC);
    if (descriptor < 0) return -errno;
    // A burst of ends while we sleep is not to be lost; root may go beyond the limit of the system.
    int room = 4 << 20;
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    int result = ask(descriptor, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME, 0);
    int family = result < 0 ? result : answer(descriptor);
    if (family > 0) {
        result = ask(
            descriptor, (uint16_t)family, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, processors, 1);
        if (result == 0) result = answer(descriptor);
        if (result == 0) return descriptor;
    } else {
        result = family == 0 ? -EBADMSG : family;
    }
    close(descriptor);
    return result;
}

int clinux_next_task_exit(int descriptor, struct clinux_task_exit *task) {
    _Alignas(struct nlmsghdr) char buffer[8192];
    for (;;) {
        ssize_t length = recv(descriptor, buffer, sizeof buffer, 0);
        if (length < 0) {
            if (errno == EINTR) continue;
            return errno == EAGAIN ? 0 : -errno;
        }
        const struct nlmsghdr *header = (const struct nlmsghdr *)buffer;
        if (length < (ssize_t)NLMSG_LENGTH(GENL_HDRLEN) || header->nlmsg_len > (size_t)length) continue;
        size_t rest = header->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
        const struct nlattr *task_part =
            find((const char *)NLMSG_DATA(header) + GENL_HDRLEN, rest, TASKSTATS_TYPE_AGGR_PID);
        if (!task_part) continue;
        const struct nlattr *part = find(
            (const char *)task_part + NLA_HDRLEN, task_part->nla_len - NLA_HDRLEN, TASKSTATS_TYPE_STATS);
        if (!part) continue;
        struct taskstats stats = {0};
        size_t known = part->nla_len - NLA_HDRLEN;
        memcpy(&stats, (const char *)part + NLA_HDRLEN, known < sizeof stats ? known : sizeof stats);
        task->pid = (pid_t)stats.ac_pid;
        task->parent = (pid_t)stats.ac_ppid;
        memcpy(task->name, stats.ac_comm, sizeof task->name);
        task->name[sizeof task->name - 1] = 0;
        task->peak_resident_kibibytes = (int64_t)stats.hiwater_rss;
        return 1;
    }
}
