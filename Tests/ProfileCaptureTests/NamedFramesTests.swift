import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

@testable import ProfileCapture

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
        for name in [
            "busy::Box<float>::area() const", "busy::count(int)", "busy::(anonymous namespace)::words(",
        ] {
            #expect(text.contains(name), "\(name)")
        }
        #expect(!text.contains(";_Z"))
    }

    @Test(
        "of a Rust program: under 1 % unknown, traits and generics named",
        .enabled(if: Programs.path(of: "rustc") != nil, "rustc is not on PATH"))
    func rust() throws {
        let (unknown, text) = try sample(["rustc", "-O"], "busy.rs")
        #expect(unknown < 0.01, "\(unknown)")
        #expect(text.contains("busy::count"))
        #expect(text.contains("::area"))
        #expect(!text.contains(";_R") && !text.contains(";_ZN"))
    }
}
