import InstructionCounting
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

/// Counts of programs whose instructions can be counted by hand.
struct KnownAnswerTests {
    /// A program without a library: it marks a stage by 16 instructions, the last of which replaces the status file.
    private static func assembly(_ first: Int, _ second: Int) -> String {
        """
        .macro MARK text, length
          mov $2, %eax
          lea temporary(%rip), %rdi
          mov $0x241, %esi
          mov $0644, %edx
          syscall
          mov %eax, %edi
          lea \\text(%rip), %rsi
          mov $\\length, %edx
          mov $1, %eax
          syscall
          mov $3, %eax
          syscall
          mov $82, %eax
          lea temporary(%rip), %rdi
          lea status(%rip), %rsi
          syscall
        .endm
        .globl _start
        _start:
          MARK one, 15
          mov $\(first), %rcx
        1: dec %rcx
          jnz 1b
          MARK two, 15
          mov $\(second), %rcx
        2: dec %rcx
          jnz 2b
          MARK end, 16
          mov $60, %eax
          xor %edi, %edi
          syscall
        .data
        temporary: .asciz ".pipeline_status.json.tmp"
        status: .asciz ".pipeline_status.json"
        one: .ascii "{\\"stage\\":\\"one\\"}"
        two: .ascii "{\\"stage\\":\\"two\\"}"
        end: .ascii "{\\"stage\\":\\"done\\"}"
        """
    }

    @Test func stagesOfALoopAreCountedToTheInstruction() throws {
        let directory = try TemporaryDirectory()
        try Counting.compile(
            Self.assembly(100_000, 70_001), ["-nostdlib", "-static"], to: "loop", in: directory)
        let counts = try Counting.counts(["\(directory.path)/loop"], in: directory)
        // The marks of a stage's end count for it: 16 instructions up to the call that replaces the file.
        #expect(counts.instructions(in: "one") == Int64(1 + 2 * 100_000 + 16))
        #expect(counts.instructions(in: "two") == Int64(1 + 2 * 70_001 + 16))
        #expect(counts.instructions(in: nil) == Int64(16 + 3))
        #expect(counts.stages.map(\.entered) == [1, 1, 0])
        #expect(counts.stages.first?.systemCalls == .value(["open": 1, "write": 1, "close": 1, "rename": 1]))
        #expect(counts.lowerBound.isEmpty)
        #expect(counts.processes == 1)
    }

    @Test func anInstructionThatReachesIntoTheNextPageCountsOnce() throws {
        let directory = try TemporaryDirectory()
        // The addition begins three bytes before a page's end.
        let source = """
            .globl _start
            .balign 4096
            _start:
              mov $100000, %rcx
              jmp 1f
            .balign 4096
            .skip 4090, 0x90
            1: dec %rcx
              add $0x12345678, %eax
              test %rcx, %rcx
              jnz 1b
              mov $60, %eax
              xor %edi, %edi
              syscall
            """
        try Counting.compile(source, ["-nostdlib", "-static"], to: "page", in: directory)
        let counts = try Counting.counts(["\(directory.path)/page"], in: directory)
        #expect(counts.instructions == Int64(2 + 4 * 100_000 + 3))
    }

    /// `spin(n)` is 2 + 2n instructions: a move, n times a decrement and a jump, and the return.
    private static let threads = """
        #include <pthread.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/wait.h>
        #include <unistd.h>
        __asm__(".text\\n.globl spin\\n.type spin,@function\\nspin: mov %rdi,%rcx\\n1: dec %rcx\\njnz 1b\\nret\\n.size spin,.-spin\\n");
        void spin(long);
        static void *work(void *n) { spin((long)n); return 0; }
        int main(void) {
            pthread_t threads[4];
            for (long i = 0; i < 4; i++) pthread_create(&threads[i], 0, work, (void *)(10000 + i));
            for (int i = 0; i < 4; i++) pthread_join(threads[i], 0);
            if (fork() == 0) { spin(5000); _exit(0); }
            wait(0);
            if (fork() == 0) { spin(700); abort(); }
            wait(0);
            return 0;
        }
        """

    /// The emulator keeps code that was translated before there were threads, if the program has mapped shared memory.
    private static let shared = """
        #include <pthread.h>
        #include <stdio.h>
        #include <sys/mman.h>
        __asm__(".text\\n.globl spin\\n.type spin,@function\\nspin: mov %rdi,%rcx\\n1: dec %rcx\\njnz 1b\\nret\\n.size spin,.-spin\\n");
        void spin(long);
        static void *work(void *n) { spin((long)n); return 0; }
        int main(void) {
            pthread_t threads[4];
            if (mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) return 1;
            spin(1000);
            for (long i = 0; i < 4; i++) pthread_create(&threads[i], 0, work, (void *)2000000);
            for (int i = 0; i < 4; i++) pthread_join(threads[i], 0);
            return 0;
        }
        """

    @Test func threadsLoseNothingInCodeThatRanBeforeThem() throws {
        let directory = try TemporaryDirectory()
        try Counting.compile(Self.shared, ["-O1", "-pthread"], to: "shared", in: directory)
        let counts = try Counting.counts(["\(directory.path)/shared"], in: directory)
        let expected: Int64 = 2002 + 4 * 4_000_002
        #expect(counts.instructions(ofFunction: "spin") == expected)
    }

    @Test func threadsAndForkedProcessesLoseNothing() throws {
        let directory = try TemporaryDirectory()
        try Counting.compile(Self.threads, ["-O1", "-pthread"], to: "threads", in: directory)
        let counts = try Counting.counts(["\(directory.path)/threads"], in: directory)
        // Four threads, a process that ends by itself, and one that is killed by a signal.
        let loops = [10_000, 10_001, 10_002, 10_003, 5_000, 700]
        #expect(counts.instructions(ofFunction: "spin") == Int64(loops.reduce(0) { $0 + 2 + 2 * $1 }))
        #expect(counts.processes == 3)
    }
}
