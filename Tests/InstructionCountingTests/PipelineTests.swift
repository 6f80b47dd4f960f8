import InstructionCounting
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

/// Counts of a pipeline that runs other people's programs.
struct PipelineTests {
    @Test func theSameWorkOfAShellPipelineIsTheSameCount() throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/pipeline.sh"
        func count(_ iterations: Int) throws -> InstructionCounts {
            try Files.replace(file, with: ShellPipeline.script(iterations))
            return try Counting.counts(["sh", file], in: directory)
        }
        let first = try count(50_000)
        let second = try count(50_000)
        let more = try count(50_500)
        let crunch = try #require(first.instructions(in: "crunch"))
        let again = try #require(second.instructions(in: "crunch"))
        #expect((crunch - again).magnitude <= UInt64(crunch / 10_000))
        #expect(first.processes >= 8)
        #expect(first.lowerBound.isEmpty)
        // 1 % more iterations: nearly as much of the stage, and nothing of the other one.
        let grown = Double(try #require(more.instructions(in: "crunch")) - crunch) / Double(crunch)
        #expect((0.004...0.0101).contains(grown))
        let list = try #require(first.instructions(in: "list"))
        let otherList = try #require(more.instructions(in: "list"))
        // sort(1) reads its pipe in pieces of varying size.
        #expect((list - otherList).magnitude <= UInt64(list / 200))
    }

    @Test func aScriptIsCountedByItsInterpreter() throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/run.sh"
        try Files.replace(file, with: "#!/bin/sh -e\nexec /bin/true\n")
        _ = try runCommand(["chmod", "+x", file])
        let counts = try Counting.counts([file], in: directory)
        #expect(counts.processes == 2)
        #expect(counts.instructions > 50_000)
    }
}
