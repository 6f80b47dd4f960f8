#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

// Files are read, not mapped: another process may cut one short, and a read of its mapping would end us by SIGBUS.

struct page {
    /// The number of the page in the file, and how many of its bytes there are.
    uint64_t number;
    size_t count;
    uint8_t *bytes;
};

struct cunwind_pages {
    int file;
    uint64_t byte_count;
    /// A direct-mapped cache of `slots` pages, a power of two.
    uint32_t slots;
    struct page pages[];
};

/// Pages that all files keep together, 256 MiB of them at most. Beyond that a file has one page, which is read again and again.
static _Atomic long kept_pages;
enum { most_kept_pages = 16 << 10 };

struct cunwind_pages *cunwind_pages_create(int file, uint64_t byte_count, uint32_t limit) {
    uint32_t slots = 1;
    while (slots * 2 <= limit && (uint64_t)slots * page_size < byte_count) slots *= 2;
    struct cunwind_pages *pages = calloc(1, sizeof *pages + slots * sizeof *pages->pages);
    if (!pages) return NULL;
    pages->file = file;
    pages->byte_count = byte_count;
    pages->slots = slots;
    return pages;
}

void cunwind_pages_destroy(struct cunwind_pages *pages) {
    if (!pages) return;
    for (uint32_t index = 0; index < pages->slots; index++) {
        if (!pages->pages[index].bytes) continue;
        free(pages->pages[index].bytes);
        atomic_fetch_sub(&kept_pages, 1);
    }
    free(pages);
}

static void fill(struct cunwind_pages *pages, struct page *page, uint64_t number) {
    page->number = number;
    page->count = 0;
    while (page->count < page_size + page_overlap) {
        ssize_t count = pread(
            pages->file, page->bytes + page->count, page_size + page_overlap - page->count,
            (off_t)(number * page_size + page->count));
        if (count < 0 && errno == EINTR) continue;
        // What cannot be read is as missing as what was cut off.
        if (count <= 0) return;
        page->count += (size_t)count;
    }
}

size_t page_bytes(struct cunwind_pages *pages, uint64_t offset, size_t wanted, const uint8_t **bytes) {
    uint64_t number = offset / page_size, within = offset % page_size;
    if (offset >= pages->byte_count) return 0;
    struct page *page = &pages->pages[number & (pages->slots - 1)];
    if (!page->bytes && atomic_load(&kept_pages) >= most_kept_pages) page = &pages->pages[0];
    if (!page->bytes) {
        page->bytes = malloc(page_size + page_overlap);
        if (!page->bytes) return 0;
        atomic_fetch_add(&kept_pages, 1);
        fill(pages, page, number);
    } else if (page->number != number) {
        fill(pages, page, number);
    }
    if (within >= page->count) return 0;
    *bytes = page->bytes + within;
    size_t there = page->count - within;
    if (there > page_overlap) there = page_overlap;
    return there < wanted ? there : wanted;
}
