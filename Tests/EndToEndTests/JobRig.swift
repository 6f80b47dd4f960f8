import Foundation
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

/// Jobs on a Slurm of several nodes whose tasks run under `monitor --task`.
final class JobRig {
    let slurm: SlurmTestbed
    private let directory: TemporaryDirectory
    var path: String { directory.path }
    private var oracleDirectory: String { "\(path)/oracle" }

    /// A task's command, to be followed by the stage and the CPU seconds.
    var task: String {
        "\(BuiltProduct.path("freeze-profile")) monitor --task -- python3 "
            + "\(BuiltProduct.fixture("pipelines/spanning.py")) \(oracleDirectory)"
    }

    init(nodes: Int, ahead: [String: Int] = [:], accounting: Bool = false) throws {
        slurm = try SlurmTestbed(nodes: nodes, accounting: accounting, ahead: ahead)
        directory = try TemporaryDirectory()
        try Files.createDirectories("\(directory.path)/oracle")
    }

    func call(_ words: [String]) throws -> CommandResult {
        try runCommand(words, environment: slurm.environment, in: path, timeout: .seconds(200))
    }

    /// Submits a script with a line or more for `sh`, and returns its job's number.
    func submit(_ script: String, nodes: Int, options: [String] = []) throws -> String {
        let file = "\(path)/job.sh"
        try Files.replace(file, with: "#!/bin/sh\n\(script)\n")
        let result = try call(
            ["sbatch", "--parsable", "-N\(nodes)", "--ntasks-per-node=1", "--output=\(path)/job.out"]
                + options
                + [file])
        try #require(result.status == .code(0), "\(result.standardError)")
        return result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func words(_ job: String, json: Bool, tasks: String?) -> [String] {
        [BuiltProduct.path("freeze-profile"), "monitor", "--job", job] + (json ? ["--json"] : [])
            + (tasks.map { ["--tasks", $0] } ?? [])
    }

    /// Watches a job to its end.
    func monitor(_ job: String, json: Bool = true, tasks: String? = nil) throws -> CommandResult {
        try call(words(job, json: json, tasks: tasks))
    }

    func start(_ job: String) throws -> StartedCapture {
        try StartedCapture(
            words(job, json: false, tasks: nil), environment: slurm.environment, directory: path)
    }

    /// What the steps measured themselves: by stage the union of its spans, and the sum of its CPU time.
    func oracle() throws -> [String: (wall: Double, cpu: Double)] {
        var spans: [String: [Measured]] = [:]
        for name in try Files.names(inDirectory: oracleDirectory) {
            let bytes = try Files.read("\(oracleDirectory)/\(name)", limit: 1 << 16)
            let one = try JobRig.decoder.decode(Measured.self, from: Data(bytes))
            spans[one.stage, default: []].append(one)
        }
        return spans.mapValues { spans in
            var wall = 0
            var end = Int.min
            for span in spans.sorted(by: { $0.begin < $1.begin }) {
                wall += max(0, span.end - max(span.begin, end))
                end = max(end, span.end)
            }
            return (Double(wall) / 1e9, spans.reduce(0) { $0 + $1.cpu })
        }
    }

    private struct Measured: Decodable {
        var stage: String
        var begin: Int
        var end: Int
        var cpu: Double
    }

    func run(_ text: String) throws -> Run { try JobRig.decoder.decode(Run.self, from: Data(text.utf8)) }

    /// Keys as they stand in the files, in Swift's spelling.
    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    /// What `monitor --job --json` prints.
    struct Run: Decodable {
        var clockBoundS: Double?
        var nodes: [Node]
        var steps: [Step]
        var report: Report
    }
    struct Node: Decodable {
        var node: String
        var cpuS: Double
        var peakRssBytes: Int
        var clockAheadS: Double?
        var clockBoundS: Double?
    }
    struct Step: Decodable {
        var step: String
        var sacctCpuS: Double?
        var cpuS: Double
        var sacctMaxRssBytes: Int?
        var agrees: Bool?
    }
    struct Report: Decodable {
        var stages: [Stage]
        var totals: Totals
        var transitions: [Transition]
    }
    struct Stage: Decodable {
        var stage: String
        var entered: Int
        var wallS: Double
        var workS: Double
        var cpuS: Double
    }
    struct Totals: Decodable {
        var cpuS: Double
        var peakRssBytes: Int
    }
    struct Transition: Decodable { var node: String? }

    /// A run record.
    struct Record: Decodable {
        var nodes: [String: RecordNode]
        var stages: [RecordStage]
        var totals: RecordTotals
    }
    struct RecordNode: Decodable { var tasks: Int }
    struct RecordStage: Decodable {
        var stage: String
        var wallS: Double
        var cpuS: Double
    }
    struct RecordTotals: Decodable {
        var wallS: Double
        var cpuS: Double
    }
}
