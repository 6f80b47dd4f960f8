// A pipeline of three stages that does a fixed amount of work, with a switch for each regression that a comparison should
// find. Built by the tests and by Benchmarks/comparison/run.sh: cc -O1 -o planted planted.c
//
//   planted OUTPUT_DIR [--work UNITS] [--slower PERCENT] [--memory MB] [--extra-stage]
//
// --slower makes crunch(), the function of the stage 'transform', do so much more; --memory touches so much more memory in
// the stage 'extract'; --extra-stage adds a stage 'verify' before the end.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char status[4096], temporary[4200];
static double started;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void stage(const char *name) {
    FILE *file = fopen(temporary, "w");
    if (!file) exit(3);
    fprintf(file, "{\"pid\": %d, \"stage\": \"%s\", \"started_at\": %.6f, \"stage_started_at\": %.6f}\n", getpid(), name,
            started, now());
    fclose(file);
    if (rename(temporary, status) != 0) exit(3);
}

static uint64_t spin(uint64_t value, long rounds) {
    for (long round = 0; round < rounds; round++) value = value * 6364136223846793005u + 1442695040888963407u;
    return value;
}

__attribute__((noinline)) static uint64_t crunch(uint64_t value, long rounds) { return spin(value, rounds); }
__attribute__((noinline)) static uint64_t parse(uint64_t value, long rounds) { return spin(value, rounds); }
__attribute__((noinline)) static uint64_t check(uint64_t value, long rounds) { return spin(value, rounds); }

int main(int count, char **arguments) {
    long unit = 1000000, slower = 0, megabytes = 0;
    double units = 20;
    int extra = 0;
    if (count < 2) return 64;
    for (int index = 2; index < count; index++) {
        if (strcmp(arguments[index], "--extra-stage") == 0) extra = 1;
        else if (index + 1 == count) return 64;
        else if (strcmp(arguments[index], "--slower") == 0) slower = atol(arguments[++index]);
        else if (strcmp(arguments[index], "--memory") == 0) megabytes = atol(arguments[++index]);
        else if (strcmp(arguments[index], "--work") == 0) units = atof(arguments[++index]);
        else return 64;
    }
    snprintf(status, sizeof status, "%s/.pipeline_status.json", arguments[1]);
    snprintf(temporary, sizeof temporary, "%s.new", status);
    started = now();
    uint64_t value = (uint64_t)count;
    long work = (long)(units * unit);

    stage("extract");
    size_t size = (size_t)(16 + megabytes) << 20;
    char *memory = malloc(size);
    if (!memory) return 3;
    for (size_t at = 0; at < size; at += 4096) memory[at] = (char)at;
    value = parse(value + (uint64_t)memory[size / 2], work / 4);

    stage("transform");
    free(memory);
    value = crunch(value, work + work * slower / 100);

    if (extra) {
        stage("verify");
        value = check(value, work / 2);
    }
    stage("load");
    value = parse(value, work / 4);
    stage("done");
    // The value is printed, so that no compiler leaves the work out.
    printf("%llu\n", (unsigned long long)value);
    return 0;
}
