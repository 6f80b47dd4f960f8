import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// A tool that watches a child where there is no `pidfd_open`: under emulators that lack it, and before Linux 5.3.
struct NoProcessDescriptorTests {
    /// Runs a command for which the kernel answers `pidfd_open` with ENOSYS.
    private static let launcher = """
        #include <errno.h>
        #include <linux/filter.h>
        #include <linux/seccomp.h>
        #include <stddef.h>
        #include <sys/prctl.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        int main(int count, char **words) {
            struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
            };
            struct sock_fprog program = {4, filter};
            if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 99;
            execvp(words[1], words + 1);
            return 98;
        }
        """

    @Test func aChildsEndIsSeenAllTheSame() throws {
        let directory = try TemporaryDirectory()
        let source = "\(directory.path)/launcher.c"
        try Files.replace(source, with: Self.launcher)
        let compiled = try runCommand(["gcc", source, "-o", "\(directory.path)/launcher"])
        try #require(compiled.status == .code(0), "\(compiled.standardError)")
        let feed = BuiltProduct.path("loopback-feed")
        let result = try runCommand(
            ["\(directory.path)/launcher", feed, directory.path, "--", "sh", "-c", "sleep 0.1; exit 7"],
            timeout: .seconds(30))
        #expect(result.status == .code(7), "\(result.standardError)")
    }
}
