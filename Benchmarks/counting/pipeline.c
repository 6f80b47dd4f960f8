// A pipeline of three stages: PIPELINE EXTRA does EXTRA per mille more work in load(), in its stage crunch.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void mark(const char *stage) {
    const char *path = getenv("PIPELINE_STATUS_FILE");
    char temporary[4096];
    if (path == NULL) return;
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    FILE *file = fopen(temporary, "w");
    if (file == NULL) exit(1);
    fprintf(file, "{\"stage\": \"%s\"}\n", stage);
    fclose(file);
    rename(temporary, path);
}

__attribute__((noinline)) unsigned fetch(int count) {
    unsigned sum = 1;
    for (int i = 0; i < count; i++) sum = sum * 31 + (unsigned)i;
    return sum;
}

__attribute__((noinline)) unsigned load(int count) {
    unsigned sum = 7;
    for (int i = 0; i < count; i++) sum = (sum << 5) ^ (sum >> 3) ^ (unsigned)i;
    return sum;
}

static int compare(const void *left, const void *right) { return *(const int *)left - *(const int *)right; }

__attribute__((noinline)) int arrange(int count) {
    int *values = malloc(count * sizeof *values);
    for (int i = 0; i < count; i++) values[i] = (int)((unsigned)i * 2654435761u >> 8);
    qsort(values, count, sizeof *values, compare);
    int middle = values[count / 2];
    free(values);
    return middle;
}

int main(int argc, char **argv) {
    int extra = argc > 1 ? atoi(argv[1]) : 0;
    int scale = argc > 2 ? atoi(argv[2]) : 1;
    mark("fetch");
    unsigned result = fetch(3000000 * scale);
    mark("crunch");
    result += load((4000 * 1000 + 4000 * extra) * scale) + (unsigned)arrange(40000 * scale);
    mark("store");
    for (int i = 0; i < 200; i++) printf("%u\n", result + (unsigned)i);
    mark("done");
    return 0;
}
