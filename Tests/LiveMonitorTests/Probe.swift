import JSONDocument
import LinuxProcess
import LinuxSystem
import LiveMonitor
import Measurement
import Stages
import TestSupport
import Testing

/// One run of `monitor-probe` and what it left.
struct ProbeRun {
    let directory: TemporaryDirectory
    let result: CommandResult
    var statusFile: String { directory.path + "/out/.pipeline_status.json" }

    /// Runs the probe with its mode and options; `STATUS` in the arguments becomes the status file.
    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        directory = try TemporaryDirectory()
        try Files.createDirectories(directory.path + "/out")
        let status = directory.path + "/out/.pipeline_status.json"
        var clean = ["PODCAST_SCRAPER_MONITOR_FILE_LOG": ""]
        clean.merge(environment) { $1 }
        result = try runCommand(
            [BuiltProduct.path("monitor-probe")] + arguments.map { $0 == "STATUS" ? status : $0 },
            environment: clean, timeout: .seconds(60))
    }

    /// A command under the monitor.
    static func run(_ command: [String], options: [String] = []) throws -> ProbeRun {
        try ProbeRun(["run"] + options + ["STATUS", "--"] + command)
    }

    /// A pipeline of the library under the monitor.
    static func pipeline(_ plan: [String], options: [String] = []) throws -> ProbeRun {
        try run([BuiltProduct.path("monitor-probe"), "pipeline", "STATUS"] + plan, options: options)
    }

    /// The plain Python pipeline under the monitor.
    static func python(_ plan: [String], options: [String] = []) throws -> ProbeRun {
        try run(
            ["/usr/bin/python3", "-S", BuiltProduct.fixture("pipelines/plain_stages.py"), "STATUS"] + plan,
            options: options)
    }

    func report() throws -> MonitorReport {
        try #require(MonitorReport.parse(Array(result.standardOutput.utf8)), "\(result)")
    }

    func logLines() throws -> [String] {
        let bytes = try Files.read(directory.path + "/out/.monitor.log", limit: 1 << 24)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The CPU seconds of all steps that the Python pipeline measured itself.
    func oracleTotal() throws -> Double {
        let lines = try Files.read(statusFile + ".oracle", limit: 1 << 20).split(separator: 0x0A)
        return try lines.reduce(0) { sum, line in
            sum + (try #require(JSONValue.parse(Array(line))?.object?["cpu_s"]?.number))
        }
    }

    /// All numbers that a pipeline measured itself, by stage.
    func oracleFields(_ suffix: String = ".oracle") throws -> [String: [String: Double]] {
        try Files.read(statusFile + suffix, limit: 1 << 20).split(separator: 0x0A).reduce(into: [:]) {
            let fields = try #require(JSONValue.parse(Array($1))?.object)
            $0[try #require(fields["stage"]?.string)] = fields.compactMapValues(\.number)
        }
    }

    /// What the Python pipeline measured itself, by stage.
    func oracle() throws -> [String: (wall: Double, cpu: Double)] {
        var found: [String: (wall: Double, cpu: Double)] = [:]
        let lines = try Files.read(statusFile + ".oracle", limit: 1 << 20).split(separator: 0x0A)
        for line in lines {
            let fields = try #require(JSONValue.parse(Array(line))?.object)
            let stage = try #require(fields["stage"]?.string)
            found[stage] = (
                try #require(fields["wall_s"]?.number), try #require(fields["cpu_s"]?.number)
            )
        }
        return found
    }
}

extension MonitorReport {
    func stage(_ name: String) throws -> Stage {
        try #require(stages.first { $0.name.text == name }, "\(stages.map(\.name.text))")
    }
}

extension MonitorReport.Stage {
    var wallSeconds: Double { wall.value?.inSeconds ?? .nan }
    var cpuSeconds: Double { cpu.value?.inSeconds ?? .nan }
    var peakMebibytes: Double { peakResident.value?.mebibytes ?? .nan }
}

/// Whether a measurement is within a share of what is expected, or within an amount of it; not-a-number never is.
func isNear(_ value: Double, _ expected: Double, share: Double, amount: Double) -> Bool {
    (value - expected).magnitude <= max(expected * share, amount)
}
