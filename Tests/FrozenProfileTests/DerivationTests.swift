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

    @Test("Stages and the unattributed rest add up to the total")
    func residual() throws {
        let profile = try Samples.profile()
        let parts = profile.stages.compactMap(\.use.wallSeconds.value).reduce(0, +)
        #expect(parts + (profile.totals.unattributedWallSeconds.value ?? .nan) == 8.5)
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
