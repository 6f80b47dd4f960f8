import FrozenProfile
import Measurement
import ProfileSamples
import Testing

@Suite("Summaries from runs")
struct DerivationTests {
    @Test("Summaries are medians of the measured runs that ended well")
    func medians() throws {
        let profile = try Samples.profile()
        #expect(profile.measuredRuns.map(\.index) == [2, 3, 5])
        #expect(profile.totals.use.wallSeconds == .value(8.5))
        #expect(profile.totals.runs == 3)
        #expect(profile.stages.map(\.stage.text) == ["rss_feed_fetch", "transcription"])
        #expect(profile.stages[0].use.wallSeconds == .value(1.0625))
        #expect(profile.stages[1].use.peakResidentMB.unavailableReason?.contains("clear_refs") == true)
        #expect(profile.stages[1].shareOfWall == .value(0.75))
        #expect(profile.totals.wallSecondsPerEpisode == .value(1.7))
    }

    @Test("The unattributed rest is the median of the runs' rests, and so never negative where no run's is")
    func residual() throws {
        let profile = try Samples.profile()
        // 8 - 7, 8.5 - 7.4375, 9 - 8.75.
        #expect(profile.totals.unattributedWallSeconds == .value(1))
        // Each run has a rest of 0.25 s; the medians of the stages are 3 s each, and that of the total is 4.25 s.
        let runs = try [(1.0, 3.0), (3.0, 1.0), (3.0, 3.0)].enumerated().map { index, walls in
            Samples.run(
                index + 1, wall: walls.0 + walls.1 + 0.25,
                [
                    try Samples.stage("a", wall: walls.0, cpu: 0.5, peak: .value(1)),
                    try Samples.stage("b", wall: walls.1, cpu: 0.5, peak: .value(1)),
                ])
        }
        let session = Session(id: "s", startedAt: nil, observed: ObservedEnvironment(), runs: runs)
        let summary = FrozenProfile.derive(from: [session], episodesProcessed: .value(1))
        #expect(summary.totals.use.wallSeconds == .value(4.25))
        #expect(summary.stages.map(\.use.wallSeconds) == [.value(3), .value(3)])
        #expect(summary.totals.unattributedWallSeconds == .value(0.25))
    }

    @Test("Stages that ran at the same time leave no negative rest")
    func overlap() throws {
        let stages = try ["a", "b"].map {
            try Samples.stage($0, wall: 8, cpu: 2, peak: .value(1), shared: true)
        }
        let session = Session(
            id: "s", startedAt: nil, observed: ObservedEnvironment(), runs: [Samples.run(1, wall: 9, stages)])
        let summary = FrozenProfile.derive(from: [session], episodesProcessed: .value(0))
        #expect(
            summary.totals.unattributedWallSeconds
                == .unavailable(reason: "stages ran at the same time, so together they exceed the run"))
        #expect(summary.totals.wallSecondsPerEpisode == .unavailable(reason: "no episode was processed"))
        #expect(summary.stages.allSatisfy { $0.isShared })
    }

    @Test("One run is its own summary, and no run is none")
    func fewRuns() throws {
        let run = Samples.run(1, wall: 9, [try Samples.stage("a", wall: 8, cpu: 2, peak: .value(77))])
        let session = Session(id: "s", startedAt: nil, observed: ObservedEnvironment(), runs: [run])
        let one = FrozenProfile.derive(from: [session], episodesProcessed: .value(1))
        #expect(one.totals.use == run.use)
        #expect(one.stages[0].use == run.stages[0].use)
        let none = FrozenProfile.derive(from: [], episodesProcessed: .value(1))
        #expect(none.totals.use.wallSeconds == .unavailable(reason: "no measured run ended well"))
        #expect(none.stages.isEmpty)
    }

    @Test("The median of an even count is the mean of the middle two")
    func evenMedian() {
        #expect(FrozenProfile.median([4, 1, 3, 2]) == 2.5)
        #expect(FrozenProfile.median([5, 1, 3]) == 3)
        #expect(FrozenProfile.median([]) == nil)
    }

    @Test("A summary edited by hand is found out, an honest one is not")
    func discrepancies() throws {
        var profile = try Samples.profile()
        #expect(profile.discrepancies.isEmpty)
        #expect(try FrozenProfile.decode(profile.encode(), name: "p").discrepancies.isEmpty)
        profile.stages[1].use.wallSeconds = .value(5)
        profile.totals.use.cpuSeconds = .unavailable(reason: "gone")
        #expect(
            profile.discrepancies == [
                "transcription's wall_time_s is not the median of its runs.",
                "The total's cpu_time_s is not the median of its runs.",
            ])
    }
}
