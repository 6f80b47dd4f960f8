// Edges of stages, where the program itself makes them: when it replaces its status file, or adds a line to its event trace.
#ifndef EDGES_H
#define EDGES_H

#include <stdint.h>

/// What a system call of one virtual CPU was asked for, until it returns.
struct pending {
    int kind;
    uint64_t arguments[3];
};

/// A system call begins.
void edges_enter(struct pending *pending, int64_t number, const uint64_t arguments[static 6]);
/// It returns.
void edges_leave(struct pending *pending, int64_t result);

#endif
