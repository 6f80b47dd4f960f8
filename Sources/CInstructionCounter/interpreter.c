#define _GNU_SOURCE
#include "interpreter.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "python.h"
#include "table.h"

uint64_t python_loop, python_loop_end;

static uint64_t runtime, code_type, stated_version;
static uint32_t named_minor;
/// The offsets of the interpreter's version, once it runs; 0 where there are none.
static struct python_layout python_layout;
static enum { UNKNOWN, KNOWN, REFUSED } layout_state;

// MARK: The file

struct symbol {
    const char *name;
    uint64_t address, size;
};

/// Looks for symbols in tables of one kind. What the file says is checked against its length.
static void search(const uint8_t *bytes, uint64_t length, uint32_t kind, struct symbol *wanted, int count) {
    const Elf64_Ehdr *elf = (const Elf64_Ehdr *)bytes;
    if (elf->e_shentsize != sizeof(Elf64_Shdr) || elf->e_shoff > length ||
        elf->e_shnum > (length - elf->e_shoff) / sizeof(Elf64_Shdr))
        return;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(bytes + elf->e_shoff);
    for (int index = 0; index < elf->e_shnum; index++) {
        const Elf64_Shdr *table = &sections[index];
        if (table->sh_type != kind || table->sh_link >= elf->e_shnum) continue;
        const Elf64_Shdr *names = &sections[table->sh_link];
        if (table->sh_offset > length || table->sh_size > length - table->sh_offset || names->sh_offset > length ||
            names->sh_size > length - names->sh_offset || table->sh_offset % 8)
            continue;
        const Elf64_Sym *symbols = (const Elf64_Sym *)(bytes + table->sh_offset);
        for (uint64_t place = 0; place < table->sh_size / sizeof *symbols; place++) {
            if (symbols[place].st_shndx == 0 || symbols[place].st_name >= names->sh_size) continue;
            const char *name = (const char *)bytes + names->sh_offset + symbols[place].st_name;
            uint64_t rest = names->sh_size - symbols[place].st_name;
            for (int each = 0; each < count; each++)
                if (wanted[each].address == 0 && name[0] == wanted[each].name[0] && strlen(wanted[each].name) < rest &&
                    memcmp(name, wanted[each].name, strlen(wanted[each].name) + 1) == 0) {
                    wanted[each].address = symbols[place].st_value;
                    wanted[each].size = symbols[place].st_size;
                }
        }
    }
}

/// What the loader added to the file's addresses, by one of its mappings. Returns 0, or -1 for one of no segment.
static int bias_of(const uint8_t *bytes, uint64_t length, uint64_t start, uint64_t offset, uint64_t *bias) {
    const Elf64_Ehdr *elf = (const Elf64_Ehdr *)bytes;
    if (elf->e_phentsize != sizeof(Elf64_Phdr) || elf->e_phoff > length ||
        elf->e_phnum > (length - elf->e_phoff) / sizeof(Elf64_Phdr))
        return -1;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(bytes + elf->e_phoff);
    for (int index = 0; index < elf->e_phnum; index++) {
        if (segments[index].p_type != PT_LOAD || (segments[index].p_offset & ~(uint64_t)4095) != offset) continue;
        *bias = start - (segments[index].p_vaddr & ~(uint64_t)4095);
        return 0;
    }
    return -1;
}

static void look_into(const char *path, const uint8_t *bytes, uint64_t length, uint64_t start, uint64_t offset) {
    struct symbol found[] = {{"_PyEval_EvalFrameDefault", 0, 0}, {"_PyRuntime", 0, 0}, {"PyCode_Type", 0, 0}, {"Py_Version", 0, 0}};
    if (length < sizeof(Elf64_Ehdr) || memcmp(bytes, ELFMAG, SELFMAG) != 0 || bytes[EI_CLASS] != ELFCLASS64) return;
    search(bytes, length, SHT_DYNSYM, found, 4);
    if (found[0].address == 0 && strstr(path, "python")) search(bytes, length, SHT_SYMTAB, found, 4);
    uint64_t bias;
    if (found[0].address == 0 || found[1].address == 0 || found[2].address == 0) return;
    if (bias_of(bytes, length, start, offset, &bias) != 0) return;
    runtime = found[1].address + bias;
    code_type = found[2].address + bias;
    stated_version = found[3].address ? found[3].address + bias : 0;
    const char *name = strstr(strrchr(path, '/') ? strrchr(path, '/') : path, "python3.");
    named_minor = name ? (uint32_t)strtoul(name + strlen("python3."), NULL, 10) : 0;
    python_loop_end = found[0].address + bias + found[0].size;
    python_loop = found[0].address + bias;
}

void python_notice(const char *path, uint64_t start, uint64_t offset) {
    static struct { uint64_t inode, device; } seen[64];
    static int seen_count;
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (python_loop_end != 0 || seen_count == 64) return;
    int is_named = strstr(name, "python") != NULL && strstr(name, ".cpython-") == NULL;
    if (!is_named && strcmp(path, header->program) != 0) return;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0) return;
    int is_new = fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
    for (int index = 0; index < seen_count; index++)
        if (seen[index].inode == status.st_ino && seen[index].device == status.st_dev) is_new = 0;
    if (is_new) {
        seen[seen_count].inode = status.st_ino;
        seen[seen_count++].device = status.st_dev;
        void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (bytes != MAP_FAILED) {
            look_into(path, bytes, (uint64_t)status.st_size, start, offset);
            munmap(bytes, (size_t)status.st_size);
        }
    }
    close(file);
}

// MARK: The layout

static void refuse(void) {
    layout_state = REFUSED;
    __atomic_fetch_or(&header->flags, PYTHON_REFUSED, __ATOMIC_RELAXED);
}

/// From 3.13 on an interpreter begins with where its fields are.
static int fill_from_words(uint32_t *minor) {
    static const uint64_t cookie = 0x7970677562656478u;
    uint64_t words[PYTHON_WORDS];
    if (python_read(runtime, words, sizeof words) != 0 || words[0] != cookie) return 0;
    *minor = (uint32_t)(words[1] >> 16 & 255);
    // Free-threaded builds have other objects.
    if (words[2] & 1 || (words[1] >> 4 & 15) != 15) return -1;
    for (int index = 0; index < PYTHON_LAYOUTS; index++) {
        const struct python_layout *known = &shared->layouts[index];
        if (known->minor != (int32_t)*minor || !known->is_words) continue;
        python_layout = *known;
        for (int32_t *field = &python_layout.interpreter_head; field <= &python_layout.text_ascii; field++) {
            if (*field < 0) continue;
            if (*field >= PYTHON_WORDS || words[*field] >= 1u << 20) return -1;
            *field = (int32_t)words[*field];
        }
        return 1;
    }
    return -1;
}

static void determine_layout(void) {
    uint32_t minor = named_minor, stated;
    int filled = fill_from_words(&minor);
    if (filled > 0) layout_state = KNOWN;
    if (filled < 0) refuse();
    if (filled != 0) return;
    if (stated_version && python_read(stated_version, &stated, sizeof stated) == 0) {
        minor = stated >> 16 & 255;
        if ((stated >> 4 & 15) != 15) return refuse();
    }
    for (int index = 0; index < PYTHON_LAYOUTS; index++) {
        if (shared->layouts[index].minor != (int32_t)minor || shared->layouts[index].is_words || minor == 0) continue;
        python_layout = shared->layouts[index];
        layout_state = KNOWN;
        return;
    }
    refuse();
}

// MARK: Threads and frames

/// Whether the structure of a thread is that of this one. To 3.10 it holds the C library's handle, where the kernel's
/// number stands somewhere.
static int is_own(uint64_t thread, uint32_t own) {
    static uint64_t place;
    uint64_t identity = python_word(thread + (uint64_t)python_layout.thread_identity);
    uint32_t number = 0;
    if (python_layout.identity_is_native) return identity == own;
    if (place) return python_read(identity + place, &number, sizeof number) == 0 && number == own;
    for (uint64_t offset = 4; offset < 1024; offset += 4)
        if (python_read(identity + offset, &number, sizeof number) == 0 && number == own) {
            place = offset;
            return 1;
        }
    return 0;
}

/// What was read to find the thread last, while that is all that a search reads: one interpreter with one thread.
static struct {
    const uint64_t *words[5];
    uint64_t held[5];
    uint32_t generation, number;
    uint64_t found;
} last_search;

/// Whether a search would find what the last one found.
static int is_found_again(uint32_t number) {
    if (last_search.generation != python_generation || last_search.number != number) return 0;
    for (int index = 0; index < 5; index++)
        if (*last_search.words[index] != last_search.held[index]) return 0;
    return 1;
}

static void remember_search(uint32_t number, uint64_t interpreter, uint64_t thread) {
    const uint64_t words[] = {
        runtime + (uint64_t)python_layout.interpreter_head, interpreter + (uint64_t)python_layout.threads_head,
        interpreter + (uint64_t)python_layout.interpreter_next, thread + (uint64_t)python_layout.thread_next,
        thread + (uint64_t)python_layout.thread_identity};
    const uint64_t held[] = {interpreter, thread, 0, 0, number};
    last_search.generation = 0;
    for (int index = 0; index < 5; index++) {
        if (words[index] % 8 || python_word(words[index]) != held[index]) return;
        last_search.words[index] = (const uint64_t *)words[index];
        last_search.held[index] = held[index];
    }
    last_search.number = number;
    last_search.found = thread;
    last_search.generation = python_generation;
}

uint64_t interpreter_thread(uint32_t number, int is_only) {
    enum { MAXIMUM = 4096 };
    if (layout_state == UNKNOWN) determine_layout();
    if (layout_state != KNOWN) return 0;
    if (is_only && is_found_again(number)) return last_search.found;
    uint64_t found = 0, any = 0;
    int count = 0, matches = 0, interpreters = 0;
    uint64_t interpreter = python_word(runtime + (uint64_t)python_layout.interpreter_head);
    for (; interpreter && interpreters < 256; interpreters++) {
        uint64_t thread = python_word(interpreter + (uint64_t)python_layout.threads_head);
        for (; thread && count < MAXIMUM; count++) {
            if (python_word(thread + (uint64_t)python_layout.thread_interpreter) != interpreter) break;
            any = thread;
            if (is_own(thread, number)) {
                found = thread;
                matches++;
            }
            thread = python_word(thread + (uint64_t)python_layout.thread_next);
        }
        interpreter = python_word(interpreter + (uint64_t)python_layout.interpreter_next);
    }
    // The only one there is must be ours, for it runs: a process made by fork keeps its maker's number for a while.
    if (matches == 0 && count == 1) return any;
    if (is_only && matches == 1 && count == 1)
        remember_search(number, python_word(runtime + (uint64_t)python_layout.interpreter_head), found);
    // A thread that is in several interpreters does not say in which of them it runs.
    return matches == 1 ? found : 0;
}

/// Reads a word that says what runs, and remembers it.
static uint64_t watch(struct python_position *position, int place, uint64_t address) {
    position->watched[place] = (const uint64_t *)address;
    return position->held[place] = python_word(address);
}

void interpreter_frame(struct python_position *position, uint64_t *frame, uint64_t *code) {
    uint64_t at = watch(position, 0, position->state + (uint64_t)python_layout.top_frame);
    *frame = *code = 0;
    watch(position, 1, position->state + (uint64_t)python_layout.top_frame);
    if (python_layout.cframe_current >= 0) {
        if (at == 0) return;
        at = watch(position, 1, at + (uint64_t)python_layout.cframe_current);
    }
    // Where this could be read, it can be read again.
    if (at && watch(position, 2, at + (uint64_t)python_layout.frame_code) != 0) position->generation = python_generation;
    // Frames that are no Python calls stand between those of two activations of the loop.
    for (int depth = 0; at != 0 && at % 8 == 0 && depth < 4; depth++) {
        uint8_t owner = 0;
        if (python_layout.frame_owner >= 0 && python_read(at + (uint64_t)python_layout.frame_owner, &owner, 1) != 0) return;
        if (owner < 3) {
            *frame = at;
            *code = python_word(at + (uint64_t)python_layout.frame_code) & ~(uint64_t)(python_layout.code_is_tagged ? 3 : 0);
            return;
        }
        at = python_word(at + (uint64_t)python_layout.frame_previous);
    }
}

int interpreter_code(uint64_t address, struct code *code) {
    if (address % 8 || python_word(address + (uint64_t)python_layout.object_type) != code_type) return -1;
    *code = (struct code){
        .address = address, .file = python_word(address + (uint64_t)python_layout.code_file),
        .name = python_word(address + (uint64_t)python_layout.code_name), .lines = python_word(address + (uint64_t)python_layout.code_table)};
    return python_read(address + (uint64_t)python_layout.code_line, &code->first_line, sizeof code->first_line);
}

int interpreter_text(uint64_t address, struct text *text) {
    uint32_t state;
    int64_t length;
    if (address == 0 || address % 8 || python_read(address + (uint64_t)python_layout.text_length, &length, sizeof length) != 0 ||
        python_read(address + (uint64_t)python_layout.text_state, &state, sizeof state) != 0)
        return -1;
    uint32_t width = state >> 2 & 7;
    int is_compact = state >> 5 & 1, is_ascii = state >> 6 & 1;
    if (!is_compact || length < 0 || (width != 1 && width != 2 && width != 4)) return -1;
    if (length > 1024) length = 1024;
    // Texts of other characters have their length in UTF-8 and a pointer to it besides.
    uint64_t start = (uint64_t)python_layout.text_ascii + (is_ascii ? 0 : (uint64_t)python_layout.text_other);
    *text = (struct text){address + start, (uint32_t)length * width, width};
    return 0;
}
