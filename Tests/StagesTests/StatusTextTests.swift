import Measurement
import Testing

@testable import Stages

@Suite("The text of the status file")
struct StatusTextTests {
    private static let start = Timestamp(nanosecondsSinceEpoch: 1_770_000_000_000_000_000)
    private var status = StatusText(pid: 1, startedAt: start)

    private func moment(_ milliseconds: Int64, cpu: Int64 = 0) -> StageMoment {
        StageMoment(
            monotonicNanoseconds: milliseconds * 1_000_000,
            timestamp: Timestamp(
                nanosecondsSinceEpoch: Self.start.nanosecondsSinceEpoch + milliseconds * 1_000_000),
            processCPU: .milliseconds(cpu), threadCPU: .zero, threadID: 1)
    }

    private mutating func apply(
        _ kind: StageEvent.Kind, _ stage: StageName, episode: EpisodePosition? = nil, at milliseconds: Int64,
        cpu: Int64 = 0
    ) -> Bool {
        status.apply(
            StageEvent(kind, stage, episode: episode, threadID: 1, at: milliseconds * 1_000_000),
            at: moment(milliseconds, cpu: cpu))
    }

    private func snapshot(_ text: String) throws -> StatusSnapshot {
        try StatusSnapshot.parse(Array(text.utf8))
    }

    @Test("CPU time is that of the stretches during which the stage was open")
    mutating func cpuTime() throws {
        let stage = try #require(StageName("s"))
        let began = apply(.begin, stage, at: 0, cpu: 0)
        #expect(began)
        _ = apply(.begin, stage, at: 10, cpu: 5)
        _ = apply(.end, stage, at: 30, cpu: 20)
        _ = apply(.end, stage, at: 40, cpu: 30)
        let unmatched = apply(.end, stage, at: 50)
        #expect(!unmatched)
        _ = apply(.begin, stage, at: 100, cpu: 40)
        _ = apply(.end, stage, at: 101, cpu: 41)
        let finished = try #require(try snapshot(status.text()).history?.first)
        #expect(finished.cpu == .milliseconds(31))
        #expect(finished.entered == 3)
    }

    @Test("After an inner stage the outer one is shown again, with its own start and episode")
    mutating func outerAgain() throws {
        _ = apply(.begin, .transcription, episode: EpisodePosition(index: 1, total: 2), at: 0)
        _ = apply(.begin, .mediaDownload, at: 5)
        let during = try snapshot(status.text())
        #expect(during.activeStages == [.transcription, .mediaDownload])
        #expect(during.stage == .mediaDownload && during.episode == nil)
        _ = apply(.end, .mediaDownload, at: 9)
        let after = try snapshot(status.text())
        #expect(after.stage == .transcription)
        #expect(after.stageStartedAt == Self.start)
        #expect(after.episode == EpisodePosition(index: 1, total: 2))
        _ = apply(.end, .transcription, at: 10)
        _ = apply(.begin, .done, at: 13)
        let end = try snapshot(status.text())
        #expect(end.stage == .done && end.activeStages == [])
    }

    @Test("Before the first stage the file is JSON without a stage")
    mutating func empty() {
        let text = status.text()
        #expect(throws: StatusSnapshot.Problem.noStage) { try snapshot(text) }
    }

    @Test("Two thousand stages: all that is written grows with the stages, not with their square")
    mutating func manyStages() throws {
        var written = 0
        var largest = 0
        for index in 0..<2000 {
            let stage = try #require(StageName("stage_\(index)"))
            _ = apply(.begin, stage, at: Int64(2 * index))
            written += status.text().utf8.count
            _ = apply(.end, stage, at: Int64(2 * index + 1))
            let text = status.text()
            written += text.utf8.count
            largest = max(largest, text.utf8.count)
        }
        // 4000 files of 300 bytes and as much history again; with all of it each time it would be 500 MB.
        #expect(written < 6_000_000)
        #expect(largest <= StatusSnapshot.maximumBytes)
        let last = try snapshot(status.text(isFinal: true))
        #expect(last.history?.count ?? 0 > 1500)
        #expect(status.text(isFinal: true).utf8.count <= StatusSnapshot.maximumBytes)
    }
}
