// plugins MILLISECONDS FIRST SECOND: works in one shared object, unloads it, and works in another in its place.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) static int run(const char *path, int64_t milliseconds, void **place) {
    void *library = dlopen(path, RTLD_NOW);
    if (!library) return 1;
    int (*function)(int64_t) = (int (*)(int64_t))dlsym(library, "plugin");
    if (!function) return 1;
    *place = (void *)function;
    int result = function(milliseconds);
    return dlclose(library) != 0 || result != 1;
}

int main(int count, char **arguments) {
    if (count != 4) return 64;
    void *places[3];
    int failed = run(arguments[2], atoi(arguments[1]), &places[0]);
    failed |= run(arguments[3], atoi(arguments[1]), &places[1]);
    failed |= run(arguments[2], atoi(arguments[1]), &places[2]);
    printf("%d\n", ((uintptr_t)places[0] & ~(uintptr_t)0xFFFF) == ((uintptr_t)places[1] & ~(uintptr_t)0xFFFF));
    return failed;
}
