// nocfi MILLISECONDS: works in assembly without call-frame information: a leaf that pushes nothing, and a function
// with a frame pointer that calls another such leaf after pushing something.
#include "spin.h"
#include <stdlib.h>

__asm__(
    ".text\n"
    ".type bare_leaf, @function\n"
    "bare_leaf: mov $200000, %rax\n 1: dec %rax\n jnz 1b\n ret\n.size bare_leaf, .-bare_leaf\n"
    ".type framed, @function\n"
    "framed: push %rbp\n mov %rsp, %rbp\n push %rbx\n sub $24, %rsp\n mov $200000, %rbx\n"
    "2: dec %rbx\n jnz 2b\n add $24, %rsp\n pop %rbx\n pop %rbp\n ret\n.size framed, .-framed\n");
void bare_leaf(void);
void framed(void);

__attribute__((noinline)) int outer(int64_t end) {
    int rounds = 0;
    while (now_ms() < end) {
        bare_leaf();
        framed();
        rounds++;
    }
    return rounds;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    return outer(now_ms() + atoi(arguments[1])) == 0;
}
