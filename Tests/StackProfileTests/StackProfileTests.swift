import Measurement
import StackProfile
import TestSupport
import Testing

@Suite("Weighted stacks")
struct StackProfileTests {
    private let main = Frame("main", module: "tool")
    private let parse = Frame("parse", module: "tool")
    private let read = Frame("read", module: "libc.so.6")

    private func text(_ profile: StackProfile) -> String {
        String(decoding: FoldedStacks.write(profile), as: UTF8.self)
    }

    @Test("Equal stacks with equal labels become one sample, others stay apart")
    func interning() throws {
        var builder = StackProfileBuilder()
        let fetch = SampleLabels(stage: .rssFeedFetch)
        try builder.add([main, parse], weight: 2)
        try builder.add([main, parse], weight: 3)
        try builder.add([main, parse], weight: 4, labels: fetch)
        try builder.add([main], weight: 1, labels: fetch)
        let profile = builder.build()
        #expect(profile.samples.map(\.weight) == [5, 4, 1])
        #expect(profile.samples.map { profile.labels(of: $0).stage } == [nil, .rssFeedFetch, .rssFeedFetch])
        #expect(profile.frames(of: profile.samples[0]) == [main, parse])
        #expect(profile.totalWeight == 10)
        #expect(profile.frames.count == 2)
        #expect(profile.stacks.count == 3)
    }

    @Test("A function that calls itself counts once in its total")
    func recursion() throws {
        var builder = StackProfileBuilder()
        try builder.add([main, parse, parse, read], weight: 5)
        try builder.add([main, parse, read, parse], weight: 7)
        try builder.add([main, read], weight: 1)
        let costs = builder.build().functionCosts()
        #expect(costs.map(\.function) == ["main", "read", "parse"])
        #expect(costs.map(\.totalWeight) == [13, 13, 12])
        #expect(costs.map(\.selfWeight) == [0, 6, 7])
    }

    @Test("Self weights of all functions add up to the total, whatever the stacks")
    func selfWeightsAddUp() throws {
        var random = SeededGenerator(seed: 7)
        var builder = StackProfileBuilder()
        var expectedTotal: [String: Int64] = [:]
        for _ in 0..<2000 {
            let frames = (0..<Int.random(in: 1...9, using: &random)).map { _ in
                Frame("f\(Int.random(in: 0..<12, using: &random))")
            }
            let weight = Int64.random(in: 1...9, using: &random)
            try builder.add(frames, weight: weight)
            for name in Set(frames.map(\.function)) { expectedTotal[name, default: 0] += weight }
        }
        let profile = builder.build()
        let costs = profile.functionCosts()
        #expect(costs.reduce(0) { $0 + $1.selfWeight } == profile.totalWeight)
        #expect(
            Dictionary(uniqueKeysWithValues: costs.map { ($0.function, $0.totalWeight) }) == expectedTotal)
    }

    @Test("Grouping puts a frame per label around the stacks, and says where a label is missing")
    func grouping() throws {
        var builder = StackProfileBuilder()
        try builder.add([main], weight: 1, labels: SampleLabels(stage: .transcription, thread: "worker"))
        try builder.add([main], weight: 2, labels: SampleLabels(stage: .summarization))
        try builder.add([main], weight: 4)
        let grouped = builder.build().grouped(by: [.stage, .thread])
        #expect(
            text(grouped)
                == "(no stage);(no thread);main 4\nsummarization;(no thread);main 2\ntranscription;worker;main 1\n"
        )
        let first = grouped.frames(of: grouped.samples[0])
        #expect(first.map(\.isGroup) == [true, true, false])
        #expect(grouped.functionCosts().map(\.function) == ["main"], "A group is no function.")
        #expect(grouped.totalWeight == 7)
    }

    @Test("Filtering keeps samples by their labels")
    func filtering() throws {
        var builder = StackProfileBuilder()
        try builder.add([main], weight: 1, labels: SampleLabels(state: "running"))
        try builder.add([main, read], weight: 2, labels: SampleLabels(state: "sleeping"))
        let running = builder.build().filtered { $0.state == "running" }
        #expect(text(running) == "main 1\n")
        #expect(running.totalWeight == 1)
    }

    @Test("Merging adds weights and keeps labels")
    func merging() throws {
        var one = StackProfileBuilder(period: .milliseconds(10))
        try one.add([main, parse], weight: 1, labels: SampleLabels(stage: .transcription))
        var other = StackProfileBuilder(period: .milliseconds(10))
        try other.add([read], weight: 9)
        try other.add([main, parse], weight: 2, labels: SampleLabels(stage: .transcription))
        let merged = try one.build().merged(with: other.build())
        #expect(text(merged.grouped(by: [.stage])) == "(no stage);read 9\ntranscription;main;parse 3\n")
        #expect(merged.period == .milliseconds(10))
    }

    @Test("What cannot be added is refused in a sentence")
    func refusals() throws {
        let samples = StackProfile.empty()
        #expect(throws: StackProfileError.differentUnits(.samples, .nanoseconds)) {
            try samples.merged(with: .empty(unit: .nanoseconds))
        }
        let slow = StackProfileBuilder(period: .milliseconds(10)).build()
        let fast = StackProfileBuilder(period: .milliseconds(1)).build()
        #expect(throws: StackProfileError.differentPeriods(.milliseconds(10), .milliseconds(1))) {
            try slow.merged(with: fast)
        }
        var builder = StackProfileBuilder()
        #expect(throws: StackProfileError.negativeWeight(-1)) { try builder.add([main], weight: -1) }
        try builder.add([main], weight: StackProfile.weightLimit)
        #expect(throws: StackProfileError.totalTooLarge) { try builder.add([main], weight: 1) }
        #expect(
            StackProfileError.differentUnits(.samples, .nanoseconds).description
                == "A profile in samples cannot be merged with one in nanoseconds: capture both with the same unit."
        )
        #expect(
            StackProfileError.totalTooLarge.description
                == "The weights of a profile may add up to 9007199254740991 at most.")
    }

    @Test("The unknown share is weighted, and missing without samples")
    func unknownShare() throws {
        var builder = StackProfileBuilder()
        try builder.add([main, .unknown(module: "libx.so")], weight: 3)
        try builder.add([main], weight: 1)
        try builder.add([.truncationMarker, main], weight: 4, labels: SampleLabels(stage: .transcription))
        let profile = builder.build().grouped(by: [.stage])
        #expect(profile.unknownLeafShare == .value(3.0 / 8))
        #expect(profile.unknownFrameShare == .value(3.0 / 11))
        #expect(profile.truncatedShare == .value(0.5))
        #expect(StackProfile.empty().unknownLeafShare == .unavailable(reason: "the profile has no samples"))
        #expect(StackProfile.empty().unknownFrameShare == .unavailable(reason: "the profile has no frames"))
    }
}
