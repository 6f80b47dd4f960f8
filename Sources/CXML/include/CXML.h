#ifndef FREEZE_PROFILE_CXML_H
#define FREEZE_PROFILE_CXML_H

#include <stddef.h>
#include <stdint.h>

// libxml2's recovering parser, opened at run time: linked, it and ICU, which it needs, would be mapped and relocated in
// the monitor child too, which reads no feed. In C because the parser's interface is a structure of variadic callbacks.

/// An attribute; prefix and namespace are null where it has none. The value is not terminated.
struct cxml_attribute {
    const char *_Nullable prefix;
    const char *_Nullable name_space;
    const char *_Nonnull local;
    const uint8_t *_Nonnull value;
    size_t length;
};

/// What the parser calls, in the document's order. Anything but 0 from `start` ends the parsing.
struct cxml_handler {
    int (*_Nonnull start)(
        void *_Nullable context, const char *_Nullable prefix, const char *_Nullable name_space,
        const char *_Nonnull local, long line, const struct cxml_attribute *_Nullable attributes, size_t count);
    void (*_Nonnull end)(void *_Nullable context);
    void (*_Nonnull text)(void *_Nullable context, const uint8_t *_Nonnull bytes, size_t count);
    /// A fault that the parser has recovered from, or one that ends the document.
    void (*_Nonnull fault)(void *_Nullable context, long line, long column, const char *_Nonnull message);
};

/// Opens libxml2.so.2 and looks up the functions used here. Call it once before the others. Returns 0, or -1 with the
/// dynamic linker's words in `message`.
int cxml_load(char *_Nonnull message, size_t message_size);

/// Parses a document in UTF-8, whatever its declaration says, and goes on after faults where it can. Nothing outside the
/// document is read and no entity of its own is expanded. Returns 0, or -1 without memory.
int cxml_parse(
    const uint8_t *_Nullable bytes, size_t count, const struct cxml_handler *_Nonnull handler, void *_Nullable context);

#endif
