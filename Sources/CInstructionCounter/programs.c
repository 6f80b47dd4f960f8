#define _GNU_SOURCE
#include "programs.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "table.h"

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#endif

enum { MAXIMUM_INTERPRETERS = 5 };

/// What is put before the program's own arguments.
struct plan {
    const char *program;
    /// Arguments that scripts add, outermost interpreter first.
    char *added[2 * MAXIMUM_INTERPRETERS];
    int added_count;
    int is_script;
};

static void note_uncounted(const char *path, const char *reason) {
    char text[5000];
    int length = snprintf(text, sizeof text, "%s\n%s", path, reason);
    table_note("uncounted", text, length, 0);
}

/// Whether a program's user or rights differ from ours: the emulator would run it without them.
static int has_privileges(const char *path, const struct stat *status) {
    if ((status->st_mode & S_ISUID) && status->st_uid != geteuid()) return 1;
    if ((status->st_mode & S_ISGID) && (status->st_mode & S_IXGRP) && status->st_gid != getegid()) return 1;
    return geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
}

/// Looks at the beginning of a file. Returns 1 for a program that can be emulated, 2 for a script whose interpreter and
/// argument are then in `head`, 0 for neither, with the reason where it is known to be a program.
static int look(const char *path, char head[static 512], const char **reason) {
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        if (access(path, X_OK) == 0) *reason = "it may be executed but not read";
        return 0;
    }
    ssize_t count = read(file, head, 511);
    int is_file = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    close(file);
    if (count < 4 || !is_file || access(path, X_OK) != 0) return 0;
    head[count] = 0;
    if (head[0] == '#' && head[1] == '!') return 2;
    if (memcmp(head, ELFMAG, SELFMAG) != 0) return 0;
    const Elf64_Ehdr *elf = (const Elf64_Ehdr *)head;
    if (count < (ssize_t)sizeof *elf || elf->e_ident[EI_CLASS] != ELFCLASS64 || elf->e_machine != OWN_MACHINE) {
        *reason = "it is of another architecture";
        return 0;
    }
    if (has_privileges(path, &status)) {
        *reason = "it runs with another user's rights";
        return 0;
    }
    return 1;
}

/// Finds the program behind a path, through the interpreters of scripts. Returns whether it can be emulated.
static int resolve(const char *path, struct plan *plan, const char **reason) {
    plan->program = path;
    for (int depth = 0; depth < MAXIMUM_INTERPRETERS; depth++) {
        char head[512];
        int kind = look(plan->program, head, reason);
        if (kind != 2) return kind;
        plan->is_script = 1;
        head[strcspn(head, "\n")] = 0;
        char *interpreter = head + 2 + strspn(head + 2, " \t");
        char *argument = interpreter + strcspn(interpreter, " \t");
        if (*argument) {
            *argument++ = 0;
            argument += strspn(argument, " \t");
            for (char *end = argument + strlen(argument); end > argument && (end[-1] == ' ' || end[-1] == '\t');) *--end = 0;
        }
        if (*interpreter == 0) return 0;
        // The script itself follows its interpreter; what a script's interpreter adds comes before that.
        memmove(plan->added + 2, plan->added, (2 * MAXIMUM_INTERPRETERS - 2) * sizeof plan->added[0]);
        plan->added[0] = *argument ? strdup(argument) : NULL;
        plan->added[1] = (char *)plan->program;
        plan->added_count += 2;
        plan->program = strdup(interpreter);
    }
    return 0;
}

/// The length of a list that ends with a null pointer; -1 where its memory is not all mapped.
static long length_of(char *const *list) {
    unsigned char resident;
    uintptr_t page = 0;
    for (long count = 0;; count++) {
        uintptr_t own = (uintptr_t)&list[count] & ~(uintptr_t)4095;
        if (own != page && mincore((void *)own, 4096, &resident) != 0) return -1;
        page = own;
        if (list[count] == NULL) return count;
    }
}

/// Whether a variable is one of the dynamic loader's, which would act on the emulator too.
static int is_loaders(const char *variable) {
    return strncmp(variable, "LD_PRELOAD=", 11) == 0 || strncmp(variable, "LD_LIBRARY_PATH=", 16) == 0 ||
           strncmp(variable, "LD_AUDIT=", 9) == 0;
}

/// Puts the loader's variables into options of the emulator, which sets them for the program alone.
static long split(char *const *environment, long variables, char **kept, char **options) {
    long option = 0, rest = 0;
    for (long index = 0; index < variables; index++) {
        if (is_loaders(environment[index])) {
            options[option++] = "-E";
            options[option++] = environment[index];
        } else {
            kept[rest++] = environment[index];
        }
    }
    kept[rest] = NULL;
    return option;
}

static size_t size_of(const char *word) { return strlen(word) + 1 + sizeof word; }

/// Fills the environment up again, so that the stack begins where it does for arguments of any length. Where nothing was filled
/// up, because the program has an environment of its own, nothing is.
static void fill_up(char **kept, const char *const *words) {
    static const char padding[] = "FREEZE_PROFILE_PADDING=";
    enum { GRANULARITY = 16384 };
    char **place = NULL;
    size_t size = sizeof padding + sizeof *kept;
    for (; *kept; kept++)
        if (strncmp(*kept, padding, sizeof padding - 1) == 0)
            place = kept;
        else
            size += size_of(*kept);
    for (; *words; words++) size += size_of(*words);
    size_t missing = (GRANULARITY - size % GRANULARITY) % GRANULARITY;
    char *filled = place ? malloc(sizeof padding + missing) : NULL;
    if (filled == NULL) return;
    memcpy(filled, padding, sizeof padding);
    memset(filled + sizeof padding - 1, '0', missing);
    filled[sizeof padding - 1 + missing] = 0;
    *place = filled;
}

static void execute(const struct plan *plan, char *const *arguments, long count, char *const *environment, long variables) {
    char **kept = calloc(variables + 1, sizeof *kept), **words = calloc(count + 2 * variables + 40, sizeof *words);
    char plugin[9000];
    if (kept == NULL || words == NULL) return;
    snprintf(
        plugin, sizeof plugin, "%s,directory=%s,parent=%u,thread=%d", shared->plugin, table_directory(), header->serial,
        gettid());
    long at = 0;
    char *own[] = {shared->emulator, "-seed", "1", "-cpu", shared->cpu, "-plugin", plugin};
    for (size_t index = 0; index < sizeof own / sizeof *own; index++) words[at++] = own[index];
    at += split(environment, variables, kept, words + at);
    words[at++] = "-0";
    long first = at;
    words[at++] = plan->is_script ? (char *)plan->program : count > 0 ? arguments[0] : "";
    words[at++] = (char *)plan->program;
    for (int index = 0; index < plan->added_count; index++)
        if (plan->added[index]) words[at++] = plan->added[index];
    for (long index = 1; index < count; index++) words[at++] = arguments[index];
    fill_up(kept, (const char *const *)words + first);
    execve(shared->emulator, words, kept);
    free(kept);
    free(words);
}

void programs_execute(const char *path, char *const *arguments, char *const *environment) {
    struct plan plan = {0};
    const char *reason = NULL;
    char own[64];
    long count = length_of(arguments), variables = environment ? length_of(environment) : 0;
    if (count < 0 || variables < 0 || access(path, X_OK) != 0) return;
    snprintf(own, sizeof own, "/proc/%d/exe", getpid());
    // The kernel would take these for the emulator.
    if (strcmp(path, "/proc/self/exe") == 0 || strcmp(path, own) == 0) path = header->program;
    if (resolve(path, &plan, &reason) != 1) {
        if (reason) note_uncounted(path, reason);
        return;
    }
    execute(&plan, arguments, count, environment, variables);
    note_uncounted(path, strerror(errno));
}
