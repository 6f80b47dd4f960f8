import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

@testable import StackRecording

/// Nearly every frame has a name where there are symbols. Benchmarks/sampler/names.py measures larger programs.
@Suite("Names of frames", .serialized)
struct NamedFramesTests {
    private func sample(_ compiler: [String], _ source: String) throws -> (unknown: Double, text: String) {
        let directory = try TemporaryDirectory()
        let target = "\(directory.path)/busy"
        let compiled = try runCommand(
            compiler + ["-o", target, BuiltProduct.fixture("native-symbols/\(source)")])
        try #require(compiled.status == .code(0), "\(compiled.standardError)")
        let output = "\(directory.path)/out.pb.gz"
        let result = try runCommand([
            BuiltProduct.path("freeze-profile"), "sample", "--sampler", "perf", "-o", output, "--", target,
            "900",
        ])
        #expect(result.status == .code(0), "\(result.standardError)")
        let profile = try Pprof.read(try Files.read(output, limit: 1 << 24))
        #expect(profile.totalWeight > 50)
        let unknown = try #require(profile.unknownFrameShare.value)
        return (unknown, String(decoding: FoldedStacks.write(profile), as: UTF8.self))
    }

    @Test("of a C++ program: under 1 % unknown, templates and local functions named as in the source")
    func cPlusPlus() throws {
        let (unknown, text) = try sample(["g++", "-O2"], "busy.cpp")
        #expect(unknown < 0.01, "\(unknown)")
        // On a busy machine there are few samples, and not every function has one.
        let names = [
            "busy::Box<float>::area() const", "busy::count(int)", "busy::order(std::vector<int",
            "busy::(anonymous namespace)::words(",
        ]
        #expect(names.contains { text.contains($0) })
        #expect(!text.contains(";_Z"))
    }

    @Test(
        "of a Rust program: under 1 % unknown, traits and generics named",
        .enabled(if: Programs.path(of: "rustc") != nil, "rustc is not on PATH"))
    func rust() throws {
        let (unknown, text) = try sample(["rustc", "-O"], "busy.rs")
        #expect(unknown < 0.01, "\(unknown)")
        #expect(["busy::count", "busy::order", "busy::write_all", "::area"].contains { text.contains($0) })
        #expect(!text.contains(";_R") && !text.contains(";_ZN"))
    }
}
