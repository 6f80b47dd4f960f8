import Compression
import Foundation
import Measurement
import TestSupport
import Testing

@testable import StackProfile

/// A speedscope file as its documentation has it, and the rules that a schema cannot say.
struct SpeedscopeFile: Decodable {
    struct Frame: Decodable, Hashable {
        var name: String
        var file: String?
        var line: Int?
    }
    struct Shared: Decodable { var frames: [Frame] }
    struct Profile: Decodable {
        var type: String
        var name: String
        var unit: String
        var startValue: Int64
        var endValue: Int64
        var samples: [[Int]]
        var weights: [Int64]
    }

    var schema: String
    var exporter: String
    var name: String
    var activeProfileIndex: Int
    var shared: Shared
    var profiles: [Profile]

    enum CodingKeys: String, CodingKey {
        case schema = "$schema"
        case exporter, name, activeProfileIndex, shared, profiles
    }

    /// What is wrong with a file, a sentence each.
    static func problems(_ bytes: [UInt8]) -> [String] {
        let file: SpeedscopeFile
        do {
            file = try JSONDecoder().decode(SpeedscopeFile.self, from: Data(bytes))
        } catch {
            return ["not a speedscope file: \(error)"]
        }
        var problems: [String] = []
        func check(_ condition: Bool, _ problem: String) { if !condition { problems.append(problem) } }
        check(file.schema == "https://www.speedscope.app/file-format-schema.json", "schema")
        check(!file.profiles.isEmpty, "no profiles")
        check(file.profiles.indices.contains(file.activeProfileIndex), "active profile out of range")
        check(Set(file.shared.frames).count == file.shared.frames.count, "a frame twice")
        check(file.shared.frames.allSatisfy { !$0.name.isEmpty && $0.line.map { $0 > 0 } ?? true }, "frame")
        let units = ["none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"]
        for profile in file.profiles {
            check(profile.type == "sampled", "type")
            check(units.contains(profile.unit), "unit")
            check(profile.samples.count == profile.weights.count, "samples and weights differ in number")
            check(profile.weights.allSatisfy { $0 > 0 }, "a weight below 1")
            check(
                profile.weights.reduce(0, +) == profile.endValue - profile.startValue, "weights do not add up"
            )
            check(
                profile.samples.joined().allSatisfy { file.shared.frames.indices.contains($0) },
                "a frame out of range")
        }
        return problems
    }
}

@Suite("Speedscope files")
struct SpeedscopeTests {
    private static func profile(period: Duration? = .milliseconds(1)) throws -> StackProfile {
        var builder = StackProfileBuilder(period: period)
        let main = Frame("main", module: "app", file: "main.c", line: 3)
        let parse = Frame("parse<\"x\", \\>", module: "app")
        let labels = { (stage: String, thread: String) in
            SampleLabels(stage: StageName(stage), thread: thread, process: "app")
        }
        try builder.add([main, parse], weight: 7, labels: labels("fetch", "worker"))
        try builder.add([main], weight: 2, labels: labels("fetch", "main"))
        try builder.add([main, parse], weight: 11, labels: labels("store", "main"))
        try builder.add([main, .unknown(module: "libc")], weight: 0, labels: labels("never", "main"))
        return builder.build()
    }

    private static func decoded(_ bytes: [UInt8]) throws -> SpeedscopeFile {
        try JSONDecoder().decode(SpeedscopeFile.self, from: Data(bytes))
    }

    @Test("have a profile for each group, the heaviest first, stacks root first, in nanoseconds")
    func groups() throws {
        var options = Speedscope.Options()
        options.name = "v1 \"quoted\"\n"
        options.grouping = .stage
        let bytes = Speedscope.write(try Self.profile(), options: options)
        #expect(SpeedscopeFile.problems(bytes) == [])
        let file = try Self.decoded(bytes)
        #expect(file.name == "v1 \"quoted\"\n")
        #expect(file.profiles.map(\.name) == ["store", "fetch"])
        #expect(file.profiles.map(\.unit) == ["nanoseconds", "nanoseconds"])
        #expect(file.profiles.map(\.endValue) == [11_000_000, 9_000_000])
        #expect(file.profiles[1].weights == [7_000_000, 2_000_000])
        #expect(
            file.profiles[1].samples[0].map { file.shared.frames[$0].name } == ["main", "parse<\"x\", \\>"])
        #expect(file.shared.frames[0] == .init(name: "main", file: "main.c", line: 3))
        #expect(file.shared.frames[1] == .init(name: "parse<\"x\", \\>", file: "app", line: nil))
        options.grouping = .thread
        #expect(
            try Self.decoded(Speedscope.write(try Self.profile(), options: options)).profiles.map(\.name)
                == ["main", "worker"])
    }

    @Test("count samples where their time is not known, or would be too long to be exact")
    func units() throws {
        let plain = try Self.decoded(Speedscope.write(try Self.profile(period: nil)))
        #expect(plain.profiles.map(\.unit) == ["none"])
        #expect(plain.profiles[0].endValue == 20)
        let long = try Self.decoded(Speedscope.write(try Self.profile(period: .seconds(1_000_000_000))))
        #expect(long.profiles[0].unit == "none")
        let empty = Speedscope.write(.empty())
        #expect(SpeedscopeFile.problems(empty) == [])
        #expect(try Self.decoded(empty).profiles.map(\.endValue) == [0])
    }

    @Test("keep what hostile names hold, as JSON may hold it")
    func hostileNames() throws {
        var builder = StackProfileBuilder()
        let names = ["", "a\u{0}b", "\u{1F}\u{7F}\u{85}", "\u{2028}", "</script>", "\u{FFFD}\u{1F600}"]
        for name in names { try builder.add([Frame(name)]) }
        let bytes = Speedscope.write(builder.build())
        #expect(SpeedscopeFile.problems(bytes) == [])
        #expect(try Self.decoded(bytes).shared.frames.map(\.name) == ["[unknown]"] + names.dropFirst())
        #expect(bytes.dropLast().allSatisfy { $0 >= 0x20 })
    }

    @Test("the checker detects what it is for")
    func detects() throws {
        let good = String(decoding: Speedscope.write(try Self.profile(period: nil)), as: UTF8.self)
        #expect(SpeedscopeFile.problems(Array(good.utf8)) == [])
        let mutations = [
            ("\"weights\":[7,2,11]", "\"weights\":[7,2]", "samples and weights differ in number"),
            ("\"weights\":[7,2,11]", "\"weights\":[7,3,11]", "weights do not add up"),
            ("\"samples\":[[0,1],[0],[0,1]]", "\"samples\":[[0,3],[0],[0,1]]", "a frame out of range"),
            ("\"weights\":[7,2,11]", "\"weights\":[-2,11,11]", "a weight below 1"),
            ("\"unit\":\"none\"", "\"unit\":\"samples\"", "unit"),
        ]
        for (from, to, problem) in mutations {
            try #require(good.contains(from))
            #expect(SpeedscopeFile.problems(Array(good.replacing(from, with: to).utf8)).contains(problem))
        }
        #expect(SpeedscopeFile.problems(Array("{}".utf8)).count == 1)
    }
}
