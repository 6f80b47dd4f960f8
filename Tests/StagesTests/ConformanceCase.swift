import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import Stages

/// A case of the conformance suite (`helpers/conformance`, described in docs/formats/pipeline-status.md).
struct ConformanceCase: CustomTestStringConvertible, Sendable {
    /// A stage's account as it must come out.
    struct Expected: Equatable, Sendable, CustomStringConvertible {
        var stage: String
        var entered: Int
        var wallMilliseconds: Int64
        var workMilliseconds: Int64
        var isShared: Bool

        var description: String {
            "\(stage): entered \(entered), wall \(wallMilliseconds), work \(workMilliseconds)\(isShared ? ", shared" : "")"
        }
    }

    /// An event, or `finish`.
    struct Step: Sendable {
        var verb: String
        var milliseconds: Int64
        var thread: Int32
        var stage: String
    }

    var name: String
    var steps: [Step] = []
    var expected: [Expected] = []
    var active: [(milliseconds: Int64, stages: [String])] = []
    var labels: [(milliseconds: Int64, thread: Int32, label: String)] = []

    var testDescription: String { name }
    /// Whether helpers that know only begin and end can be held to it.
    var hasEnter: Bool { steps.contains { $0.verb == "enter" } }

    static let directory = "\(BuiltProduct.packageDirectory)/helpers/conformance"

    /// Every case there is.
    static let all: [ConformanceCase] = {
        do {
            return try Files.names(inDirectory: directory).filter { $0.hasSuffix(".tsv") }.sorted().map {
                try ConformanceCase(file: $0)
            }
        } catch {
            preconditionFailure("The conformance cases cannot be read: \(error)")
        }
    }()

    init(file: String) throws {
        name = String(file.dropLast(4))
        let text = String(
            decoding: try Files.read("\(Self.directory)/\(file)", limit: 1 << 20), as: UTF8.self)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let number = try #require(Int64(words[1]))
            switch words[0] {
            case "expect":
                expected.append(
                    Expected(
                        stage: words[5], entered: Int(number),
                        wallMilliseconds: try #require(Int64(words[2])),
                        workMilliseconds: try #require(Int64(words[3])), isShared: words[4] == "shared"))
            case "active": active.append((number, Array(words[2...])))
            case "label": labels.append((number, try #require(Int32(words[2])), words[3]))
            default:
                let stage = words[0] == "finish" ? "" : words[3]
                steps.append(
                    Step(
                        verb: words[0], milliseconds: number, thread: try #require(Int32(words[2])),
                        stage: stage))
            }
        }
    }

    /// The events, with `finish` as ends of whatever is open.
    ///
    /// - Parameter origin: CLOCK_MONOTONIC of the case's zero.
    func events(origin: Int64 = 0) throws -> [StageEvent] {
        var open: [Step] = []
        var events: [StageEvent] = []
        for step in steps {
            let moment = origin + step.milliseconds * 1_000_000
            guard let kind = StageEvent.Kind(rawValue: step.verb) else {
                events += try open.reversed().map {
                    StageEvent(
                        .end, try #require(StageName($0.stage)), threadID: $0.thread, at: moment)
                }
                continue
            }
            let stage = try #require(StageName(step.stage))
            events.append(
                StageEvent(kind, stage, threadID: kind == .enter ? nil : step.thread, at: moment))
            if kind == .begin { open.append(step) }
            if kind == .end, let index = open.lastIndex(where: { $0.stage == step.stage }) {
                open.remove(at: index)
            }
        }
        return events
    }
}

extension ConformanceCase.Expected {
    init(_ stage: StageClock.Stage) {
        self.init(
            stage: stage.name.text, entered: stage.entered, wallMilliseconds: stage.wall / 1_000_000,
            workMilliseconds: stage.work / 1_000_000, isShared: stage.isShared)
    }

    init(_ stage: StatusSnapshot.FinishedStage) {
        func milliseconds(_ duration: Duration) -> Int64 { (duration.inNanoseconds + 500_000) / 1_000_000 }
        self.init(
            stage: stage.stage.text, entered: stage.entered, wallMilliseconds: milliseconds(stage.wall),
            workMilliseconds: milliseconds(stage.work), isShared: stage.isShared)
    }
}
