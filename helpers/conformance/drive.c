/* Plays a conformance case through helpers/stages.h: drive CASE.tsv, with PIPELINE_STATUS_FILE set. C and C++. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the case says, after a beginning that is the test's. */
static long long moment;
static long long origin(void) {
    const char *text = getenv("CONFORMANCE_ORIGIN_NS");
    return text ? atoll(text) : 0;
}
#define STAGES_MONOTONIC_NS (origin() + moment)
#define STAGES_EPOCH_NS (1770000000000000000LL + moment)
#define STAGES_IMPLEMENTATION
#include "../stages.h"

int main(int count, char **arguments) {
    FILE *file = count > 1 ? fopen(arguments[1], "r") : NULL;
    if (!file) return 66;
    static char line[1 << 16];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *verb = line, *words[3] = {NULL, NULL, NULL}, *next = line;
        for (int i = 0; i < 3 && (next = strchr(next, '\t')); i++) {
            *next++ = 0;
            words[i] = next;
        }
        if (strcmp(verb, "begin") && strcmp(verb, "end") && strcmp(verb, "finish")) continue;
        moment = atoll(words[0] ? words[0] : "0") * 1000000;
        if (!strcmp(verb, "begin")) stage_begin(words[2], 0, 0);
        if (!strcmp(verb, "end")) stage_end(words[2]);
        if (!strcmp(verb, "finish")) stages_finish();
    }
    fclose(file);
    stages_finish();
    return 0;
}
