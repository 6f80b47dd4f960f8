#include "CDemangle.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern char *swift_demangle(
    const char *name, size_t length, char *output, size_t *output_size, uint32_t flags);
extern char *_swift_backtrace_demangle(const char *name, size_t length, char *output, size_t *output_size);
extern char *__cxa_demangle(const char *name, char *output, size_t *output_size, int *status);

static size_t hand_over(char *text, char *output, size_t capacity) {
    if (text == NULL) return 0;
    size_t length = strlen(text);
    if (length > capacity) length = capacity;
    memcpy(output, text, length);
    free(text);
    return length;
}

size_t cdemangle_swift_full(const char *name, size_t length, char *output, size_t capacity) {
    return hand_over(swift_demangle(name, length, NULL, NULL, 0), output, capacity);
}

size_t cdemangle_swift_short(const char *name, size_t length, char *output, size_t capacity) {
    return hand_over(_swift_backtrace_demangle(name, length, NULL, NULL), output, capacity);
}

size_t cdemangle_cxx(const char *name, char *output, size_t capacity) {
    int status = 0;
    return hand_over(__cxa_demangle(name, NULL, NULL, &status), output, capacity);
}
