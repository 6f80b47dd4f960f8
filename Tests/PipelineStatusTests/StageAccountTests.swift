import Measurement
import Testing

@testable import PipelineStatus

@Suite("Adding up stages")
struct StageAccountTests {
    private var account = StageAccount()

    /// An edge so many milliseconds after the start, with so many milliseconds of CPU time used.
    private func edge(_ milliseconds: Int64, cpu: Int64 = 0) -> StageEdge {
        StageEdge(
            monotonicNanoseconds: milliseconds * 1_000_000,
            timestamp: Timestamp(nanosecondsSinceEpoch: 1_770_000_000_000_000_000 + milliseconds * 1_000_000),
            processCPU: .milliseconds(cpu), threadCPU: .zero, threadID: 1)
    }

    private func snapshot(_ account: StageAccount) throws -> StatusSnapshot {
        let text = account.statusText(
            pid: 1, startedAt: Timestamp(nanosecondsSinceEpoch: 1_770_000_000_000_000_000))
        return try StatusSnapshot.parse(Array(text.utf8))
    }

    @Test("Overlapping spans of a stage: wall is their union, work their sum")
    mutating func union() throws {
        let stage = try #require(StageName("s"))
        account.begin(stage, episode: nil, at: edge(0, cpu: 0))
        account.begin(stage, episode: nil, at: edge(10, cpu: 5))
        let result1 = account.end(stage, at: edge(30, cpu: 20))
        #expect(result1)
        let result2 = account.end(stage, at: edge(40, cpu: 30))
        #expect(result2)
        let result3 = account.end(stage, at: edge(50))
        #expect(!result3)
        account.begin(stage, episode: nil, at: edge(100, cpu: 40))
        let result4 = account.end(stage, at: edge(101, cpu: 41))
        #expect(result4)
        let finished = try #require(try snapshot(account).history?.first)
        #expect(finished.entered == 3)
        #expect(finished.wall == .milliseconds(41))
        #expect(finished.work == .milliseconds(61))
        #expect(finished.cpu == .milliseconds(31))
        #expect(!finished.isShared)
    }

    @Test("Two stages at once are both shared, and the file names both")
    mutating func shared() throws {
        account.begin(.transcription, episode: EpisodePosition(index: 1, total: 2), at: edge(0))
        account.begin(.mediaDownload, episode: nil, at: edge(5))
        #expect(try snapshot(account).activeStages == [.transcription, .mediaDownload])
        #expect(try snapshot(account).stage == .mediaDownload)
        let result5 = account.end(.mediaDownload, at: edge(9))
        #expect(result5)
        let between = try snapshot(account)
        #expect(between.stage == .transcription)
        #expect(between.stageStartedAt == edge(0).timestamp)
        let result6 = account.end(.transcription, at: edge(10))
        #expect(result6)
        account.begin(.summarization, episode: nil, at: edge(11))
        let result7 = account.end(.summarization, at: edge(12))
        #expect(result7)
        account.begin(.done, episode: nil, at: edge(13))
        let end = try snapshot(account)
        #expect(end.stage == .done && end.activeStages == [])
        #expect(end.history?.map(\.isShared) == [true, true, false])
        #expect(end.history?.map(\.stage) == [.transcription, .mediaDownload, .summarization])
    }

    @Test("Before the first stage the file is JSON without a stage")
    func empty() {
        #expect(throws: StatusSnapshot.Problem.noStage) { try snapshot(account) }
    }
}
