#ifndef FREEZE_PROFILE_CDEMANGLE_H
#define FREEZE_PROFILE_CDEMANGLE_H

#include <stddef.h>

// The demanglers that are in every Swift program anyway: the Swift runtime's and libstdc++'s. They return memory
// from malloc, which Swift code without Glibc cannot free, so the text is copied into the caller's buffer here.
// Each returns the length of the text, cut to the capacity, or 0 when the name is not a mangled one.

/// A Swift name in full, types and all (`swift_demangle`).
size_t cdemangle_swift_full(
    const char *_Nonnull name, size_t length, char *_Nonnull output, size_t capacity);
/// A Swift name as backtraces show it: no types, no modules (`_swift_backtrace_demangle`).
size_t cdemangle_swift_short(
    const char *_Nonnull name, size_t length, char *_Nonnull output, size_t capacity);
/// A C++ name (`__cxa_demangle`). The name ends with a zero byte.
size_t cdemangle_cxx(const char *_Nonnull name, char *_Nonnull output, size_t capacity);

#endif
