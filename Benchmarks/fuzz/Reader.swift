import FrozenProfile
import FunctionAttribution
import InstructionCounting
import LinuxProcess
import LinuxSystem
import LiveMonitor
import LoopbackServer
import Measurement
import PodcastPipeline
import ProfileComparison
import ProfileFormats
import ProfileReport
import ProfileSamples
import SlurmEngine
import StackProfile
import StackRecording
import Stages
import Symbolication
import TestSupport
import YAMLDocument

/// What reads files from outside. What was read is used as a command would use it, and what is refused is reported.
enum Reader: String, CaseIterable {
    // Stacks, and what samplers write.
    case folded, pprof, archive, foreign, pySpy
    // Programs that a target has mapped, its memory, and what its run-time compiler says.
    case elf, names, debugInformation, unwinding, interpreter, python, perfMap, maps
    // What lies on a shelf.
    case profile, runs, record, truth, monitorLog, rules, ledger, gate, yaml, patch
    // What Slurm prints, and what is remembered of its jobs.
    case book, result, queue, accounting
    // What a pipeline and its counted processes write.
    case status, trace, facts, report, counts
    // What the reference pipeline and its server read.
    case feed, transcript, configuration, request

    /// Whether the bytes were read rather than refused.
    func accepts(_ bytes: [UInt8]) -> Bool {
        switch self {
        case .folded: isRead { FoldedStacks.write(try FoldedStacks.read(bytes).profile) }
        case .pprof: isRead { FoldedStacks.write(try Pprof.read(bytes)) }
        case .archive, .foreign:
            isRead { try bytes.withUnsafeBytes { FoldedStacks.write(try StackInput($0).profile) } }
        case .pySpy:
            isRead { FoldedStacks.write(try FoldedStacks.read(PySpy.withoutProcesses(bytes)).profile) }
        case .elf: isRead { try bytes.withUnsafeBytes { try ElfImage($0).buildID } }
        case .names: symbolizes(bytes, .init(lines: false))
        case .debugInformation: symbolizes(bytes, .init(lines: true, inlines: true))
        case .perfMap: names(PerfMap(bytes))
        case .maps: !MemoryMapping.parse(String(decoding: bytes, as: UTF8.self)).isEmpty
        case .python: PythonMemory(bytes).map { $0.isReadable } ?? false
        case .profile: isRead { try FrozenProfile.decode(bytes, name: "p").encode() }
        case .runs:
            isRead {
                var profile = Self.profileOfManyRuns
                try profile.takeRuns(bytes, name: "r")
                return profile.encodeRuns()
            }
        case .book: CaptureBook(bytes).map { !$0.encode().isEmpty } ?? false
        case .result: TaskResult(bytes) != nil
        case .queue: isRead { try TaskListing.queue(String(decoding: bytes, as: UTF8.self)) }
        case .accounting: isRead { try TaskListing.accounting(String(decoding: bytes, as: UTF8.self)) }
        case .record: isRead { try RunRecord.decode(bytes, name: "r").encode() }
        case .truth: isRead { try StageTruth.decode(bytes, name: "t").encode() }
        case .monitorLog: readsLog(bytes)
        case .rules: isRead { try RegressionRules(bytes, file: "r") }
        case .ledger: isRead { try NoiseLedger.decode(bytes, file: "l").encode() }
        case .gate: isRead { try GateAgreements.decode(bytes, file: "g").encode() }
        case .yaml: isRead { try YAMLDocument.parse(bytes) }
        case .patch: SourceChanges(files: ["a.c"], patch: String(decoding: bytes, as: UTF8.self)).files != []
        case .status: isRead { try StatusSnapshot.parse(bytes) }
        case .facts: PipelineFacts.parse(bytes) != PipelineFacts()
        case .report: MonitorReport.parse(bytes) != nil
        case .feed: isRead { try FeedParser.parse(bytes) }
        case .transcript:
            TranscriptFile.Format.allCases.filter { TranscriptFile.parse(bytes, format: $0) != nil } != []
        case .configuration: isRead { try PipelineConfiguration.parse(bytes) }
        case .request: isRead { try HTTPRequest.parse(bytes) }
        case .unwinding, .interpreter, .trace, .counts: inScratchFile(bytes)
        }
    }

    /// A profile whose raw values stand in a companion.
    static let profileOfManyRuns: FrozenProfile = {
        do {
            var profile = try Samples.profile(runs: 100)
            profile.runsPlace = .companion
            return profile
        } catch {
            fatalError("\(error)")
        }
    }()

    /// What was read, or nothing; a refusal is an error with a sentence.
    func isRead<Value>(_ read: () throws -> Value) -> Bool {
        do {
            _ = try read()
            return true
        } catch {
            return Self.isRefused(error)
        }
    }

    /// False, when the error has been put into words: those are part of what is tried.
    static func isRefused(_ error: any Error) -> Bool {
        let sentence = "\(error)"
        if explains { print(sentence) }
        return sentence.isEmpty
    }

    /// Whether refusals are printed.
    private static let explains = CurrentProcess.environmentVariable("FUZZ_EXPLAIN") != nil

    private func names(_ map: PerfMap) -> Bool {
        for address: UInt64 in [0, 0x1000, 0x7F00_0000_1018, .max] {
            _ = map.function(at: RuntimeAddress(address))
        }
        return map.acceptedLines > 0
    }

    private func readsLog(_ bytes: [UInt8]) -> Bool {
        let truth = """
            {"schema_version": "2", "release": "v", "generated_at": "", "run": {"wall_s": 25.0}, "stages": [], "transitions": [
             {"at_s": 0.1, "event": "begin", "stage": "a"}, {"at_s": 20.5, "event": "end", "stage": "a"}]}
            """
        return isRead {
            let truth = try StageTruth.decode(Array(truth.utf8), name: "t")
            return RunTimeline(truth, log: .value(bytes))
        }
    }

    /// Looks up addresses all over the code of a small program, and some where there is none.
    private func symbolizes(_ bytes: [UInt8], _ options: Symbolicator.Options) -> Bool {
        let image = ProgramImage(path: "damaged", buildID: nil, content: .memory(bytes))
        return Self.symbolizes(image, options)
    }

    static func symbolizes(_ image: ProgramImage, _ options: Symbolicator.Options) -> Bool {
        let addresses = Array(stride(from: UInt64(0), to: 0x6000, by: 0x75)) + [.max, 1 << 47]
        return SymbolizedImage(image, addresses.map { ImageAddress($0) }, options: options).failure == nil
    }

    /// Readers that open their file themselves.
    private func inScratchFile(_ bytes: [UInt8]) -> Bool {
        do {
            if self == .counts { return try CountedFiles.areRead(bytes) }
            let path =
                self == .trace
                ? StatusLocation(outputDirectory: Scratch.directory.path).eventTrace
                : Scratch.directory.path + "/input"
            try Files.replace(path, with: bytes)
            return accepts(at: path)
        } catch {
            return false
        }
    }
}

/// A directory of this process's own.
enum Scratch {
    static let directory: TemporaryDirectory = {
        do { return try TemporaryDirectory() } catch { fatalError("\(error)") }
    }()
}
