// Programs that the emulated one executes are executed under the emulator too.
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stdint.h>

/// Replaces the process by the emulator of a program, and does not return; or returns because the program cannot be
/// emulated or be executed at all, and the kernel is to be asked. Why it will run uncounted is then noted.
void programs_execute(const char *path, char *const *arguments, char *const *environment);

#endif
