#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int failed(int descriptor) {
    int error = errno;
    if (descriptor >= 0) close(descriptor);
    return -error;
}

int clinux_open_terminal(int ends[2], uint16_t columns, uint16_t rows) {
    int controller = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (controller < 0) return -errno;
    if (grantpt(controller) != 0 || unlockpt(controller) != 0) return failed(controller);
    // By descriptor, not by name: the name may be of another mount of devpts.
    int terminal = ioctl(controller, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) return failed(controller);
    struct termios modes;
    int outcome = tcgetattr(terminal, &modes);
    if (outcome == 0) {
        // What is printed comes out as it went in, and what comes back is not shown.
        modes.c_oflag &= ~(tcflag_t)OPOST;
        modes.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
        outcome = tcsetattr(terminal, TCSANOW, &modes);
    }
    if (outcome == 0) outcome = clinux_set_window_size(controller, columns, rows);
    if (outcome != 0) {
        outcome = failed(terminal);
        close(controller);
        return outcome;
    }
    ends[0] = controller;
    ends[1] = terminal;
    return 0;
}

int clinux_set_window_size(int descriptor, uint16_t columns, uint16_t rows) {
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    return ioctl(descriptor, TIOCSWINSZ, &size) == 0 ? 0 : -errno;
}
