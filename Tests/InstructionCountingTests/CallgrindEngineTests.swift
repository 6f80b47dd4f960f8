import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

@testable import InstructionCounting

/// Counts by callgrind, cut at the edges of stages by a preloaded library.
struct CallgrindEngineTests {
    @Test func selfCountsAreReadAndThoseOfCallsAreNot() throws {
        let text = """
            # callgrind format
            desc: Trigger: Client Request: segment 2 5
            positions: line
            events: Ir
            summary: 24

            ob=(1) /usr/bin/tool
            fl=(1) ???
            fn=(1) main
            0 7
            cob=(2) /lib/libc.so.6
            cfn=(2) qsort
            calls=1 0
            0 14
            +3 1

            ob=(2)
            fn=(2)
            0 14
            ob=(1)
            fn=(3) $s4main4workyS2iF
            * 2

            totals: 24
            """
        let part = try #require(CallgrindPart(Array(text.utf8)))
        #expect(part.segment?.since == 2 && part.segment?.until == 5)
        #expect(part.isWhole)
        #expect(
            part.functions == [
                .init(object: "/usr/bin/tool", name: "main"): 8,
                .init(object: "/lib/libc.so.6", name: "qsort"): 14,
                .init(object: "/usr/bin/tool", name: "$s4main4workyS2iF"): 2,
            ])
        // A sum that is not that of the lines, a count that is none, and a file that is cut off.
        #expect(CallgrindPart(Array(text.replacing("totals: 24", with: "totals: 25").utf8)) == nil)
        #expect(CallgrindPart(Array(text.replacing("0 7", with: "0 -7").utf8)) == nil)
        let cut = try #require(CallgrindPart(Array(text.replacing("totals: 24", with: "").utf8)))
        #expect(!cut.isWhole)
    }

    @Test func programsAreDistinguishedByProcessAndImage() {
        #expect(CallgrindProgram.of(file: "part.31.2")?.program == CallgrindProgram(process: 31, image: "2"))
        #expect(CallgrindProgram.of(file: "part.31.2.4")?.number == 4)
        #expect(CallgrindProgram.of(file: "part.31") == nil)
        #expect(CallgrindProgram.of(file: "part.31.2.x") == nil)
        let lives = CallgrindProgram.lives(Array("begin 31 2 0\nbegin 32 2 1\nend 31 2 3\n".utf8))
        #expect(lives[CallgrindProgram(process: 31, image: "2")] == .init(begin: 0, end: 3))
        #expect(lives[CallgrindProgram(process: 32, image: "2")] == .init(begin: 1, end: nil))
    }

    @Test func stagesOfAShellPipelineGrowAsTheyDoUnderTheEmulator() throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/pipeline.sh"
        func counts(_ iterations: Int, by engine: (any CountingEngine)? = nil) throws -> InstructionCounts {
            try Files.replace(file, with: ShellPipeline.script(iterations))
            return try Counting.counts(["sh", file], in: directory, by: engine)
        }
        let theirs = try counts(50_000, by: Counting.callgrind)
        #expect(theirs.stages.map(\.stage?.text) == ["list", "crunch", nil])
        #expect(theirs.stages.map(\.entered) == [1, 1, 0])
        #expect(theirs.lowerBound.isEmpty)
        #expect(theirs.stages.allSatisfy { $0.systemCalls.value == nil })
        // Starting the programs takes other ways on another CPU; what they do then does not.
        func growth(_ older: InstructionCounts, _ newer: InstructionCounts) throws -> Double {
            Double(
                try #require(newer.instructions(in: "crunch"))
                    - (try #require(older.instructions(in: "crunch"))))
        }
        let own = try growth(try counts(50_000), try counts(60_000))
        let other = try growth(theirs, try counts(60_000, by: Counting.callgrind))
        #expect(own > 10_000 * 100)
        #expect((other / own - 1).magnitude < 0.001, "\(own), callgrind \(other)")
    }

    @Test func aProcessThatIsKilledMakesItsStagesLowerBounds() throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/pipeline.sh"
        try Files.replace(
            file,
            with: ShellPipeline.script(50_000).replacing(
                "seq 2000 | sort | wc -l",
                with:
                    "sh -c 'echo >ready; while :; do :; done' & while ! [ -e ready ]; do :; done; kill -9 $!; wait $! || true"
            ))
        let counts = try Counting.counts(["sh", file], in: directory, by: Counting.callgrind)
        // When it was killed is not known: maybe in the next stage.
        for stage in ["list", "crunch"] {
            let found = try #require(counts.stages.first { $0.stage?.text == stage })
            #expect(found.lowerBound == ["a process was killed before its counts were written"])
        }
        #expect(counts.stages.last?.lowerBound == [])
    }

    @Test func theWordsOfValgrindAreFound() throws {
        let directory = try TemporaryDirectory()
        try Files.replace(
            "\(directory.path)/log.7",
            with: """
                ==7== Callgrind, a call-graph generating cache profiler
                vex amd64->IR: unhandled instruction bytes: 0x62 0xF1
                ==7== valgrind: Unrecognised instruction at address 0x109139.
                ==7== Process terminating with default action of signal 4 (SIGILL)
                """)
        let words = CallgrindDirectory(path: directory.path).lastWords()
        #expect(words.last == "Process terminating with default action of signal 4 (SIGILL)")
        #expect(words.contains { $0.contains("Unrecognised instruction") })
    }
}
