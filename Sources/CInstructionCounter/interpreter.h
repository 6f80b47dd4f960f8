// CPython's structures in the memory of the emulated program, which is this process's own. Everything in it may be wrong.
#ifndef INTERPRETER_H
#define INTERPRETER_H

#include <stdint.h>

struct python_position;

/// Copies memory of the program. Returns 0, or -1 where not all of it can be read.
int python_read(uint64_t address, void *into, uint64_t length);
/// A word of it, 0 where it cannot be read.
uint64_t python_word(uint64_t address);

/// A code object, and what distinguishes it from another one at the same address later.
struct code {
    uint64_t address, file, name, lines;
    uint32_t first_line;
};

/// The characters of a `str`, each of `width` bytes, cut at 1,024.
struct text {
    uint64_t address;
    uint32_t length, width;
};

/// The interpreter's structure of a thread by the kernel's number; 0 where there is none, or more than one. `is_only`: the
/// process has never had another thread.
uint64_t interpreter_thread(uint32_t number, int is_only);
/// The innermost frame of a thread that is a Python call, and its code; 0 where there is none.
void interpreter_frame(struct python_position *position, uint64_t *frame, uint64_t *code);
/// Looks at a code object. Returns 0, or -1 where it is none.
int interpreter_code(uint64_t address, struct code *code);
int interpreter_text(uint64_t address, struct text *text);

#endif
