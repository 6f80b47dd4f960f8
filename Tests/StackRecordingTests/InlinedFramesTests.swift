import LinuxProcess
import LinuxSystem
import StackProfile
import TestSupport
import Testing

/// Functions that the compiler has put in the place of their calls, from the command line.
@Suite("Inlined functions of a recording") struct InlinedFramesTests {
    private static let program = BuiltProduct.path("freeze-profile")

    private static let source = """
        #include <stdlib.h>
        #include <time.h>
        namespace app {
        volatile unsigned long sink;
        struct Mixer {
            unsigned long state;
            inline __attribute__((always_inline)) void step(unsigned long index) {
                state = state * 6364136223846793005ul + index;
            }
        };
        inline __attribute__((always_inline)) unsigned long rounds(unsigned long count) {
            Mixer mixer{count};
            for (unsigned long index = 0; index < count; index++) mixer.step(index);
            return mixer.state;
        }
        __attribute__((noinline)) void heavy() { sink = sink + rounds(1000000); }
        }
        int main() {
            clock_t end = clock() + CLOCKS_PER_SEC / 2;
            while (clock() < end) app::heavy();
        }
        """

    @Test(
        "are shown inside the function that holds their code, marked, with their lines, as the debugger's tool has them"
    )
    func inlined() throws {
        let directory = try TemporaryDirectory()
        let (code, binary) = ("\(directory.path)/mixer.cc", "\(directory.path)/mixer")
        try Files.replace(code, with: Self.source)
        try #require(try runCommand(["g++", "-O2", "-g", "-o", binary, code]).status == .code(0))
        let packed = "\(directory.path)/out.pb.gz"
        let result = try runCommand([Self.program, "sample", "--sampler", "perf", "-o", packed, "--", binary])
        #expect(result.status == .code(0), "\(result.standardError)")
        let profile = try Pprof.read(try Files.read(packed, limit: 1 << 24))
        var working = 0
        var inlined = 0
        for sample in profile.samples {
            let frames = profile.stacks.frames(of: sample.stack).map { profile.frames[$0.position] }
            guard let heavy = frames.firstIndex(where: { $0.function.hasPrefix("app::heavy") }) else {
                continue
            }
            working += Int(sample.weight)
            let inner = frames[(heavy + 1)...]
            guard let rounds = inner.first, rounds.function.hasPrefix("app::rounds") else { continue }
            inlined += Int(sample.weight)
            #expect(inner.allSatisfy(\.isInlined) && !frames[heavy].isInlined)
            #expect(frames[heavy].line == 16 && frames[heavy].file?.hasSuffix("mixer.cc") == true)
            #expect(rounds.line.map { (11...14).contains($0) } ?? true)
        }
        #expect(working > 100 && inlined * 10 >= working * 9, "\(inlined) of \(working)")
    }
}
