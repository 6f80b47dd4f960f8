import InstructionCounting
import LinuxProcess
import LinuxSystem
import Measurement
import StackProfile
import TestSupport
import Testing

/// Runs of commands under the emulator.
enum Counting {
    static var engine: QEMUEngine {
        get throws {
            let plugin = BuiltProduct.path(QEMUEngine.pluginFile)
            return try #require(QEMUEngine.find(plugin: plugin).value, "qemu-user is installed by bootstrap")
        }
    }

    /// The same by valgrind's callgrind.
    static var callgrind: CallgrindEngine {
        get throws {
            let marker = BuiltProduct.path(CallgrindEngine.markerFile)
            return try #require(
                CallgrindEngine.find(marker: marker).value, "valgrind is installed by bootstrap")
        }
    }

    /// What a command executes, with its output directory in PIPELINE_OUTPUT_DIR as working directory.
    static func counts(
        _ command: [String], in directory: TemporaryDirectory, environment: [String: String] = [:],
        by other: (any CountingEngine)? = nil
    ) throws -> InstructionCounts {
        let engine: any CountingEngine = try other ?? engine
        let place = "\(directory.path)/counts"
        try Files.removeTree(place)
        try Files.createDirectories(place)
        let prepared = try engine.prepare(command, environment: environment, directory: place)
        let result = try runCommand(
            prepared.arguments, environment: prepared.environment, in: directory.path)
        #expect(result.status == .code(0), "\(result.standardError)")
        let nothing = Reading<Int64>.unavailable(reason: "nobody watched it")
        return try engine.counts(in: place, watched: WatchedInstructions(stages: [], total: nothing))
    }

    /// Runs a compiler in a directory.
    static func build(_ command: [String], in directory: TemporaryDirectory) throws {
        let result = try runCommand(command, in: directory.path)
        try #require(result.status == .code(0), "\(result.standardError)")
    }

    /// Compiles a source.
    static func compile(
        _ source: String, _ options: [String], to name: String, in directory: TemporaryDirectory
    ) throws {
        let file = "\(directory.path)/\(name).\(source.contains("#include") ? "c" : "S")"
        try Files.replace(file, with: source)
        let result = try runCommand(["gcc"] + options + [file, "-o", "\(directory.path)/\(name)"])
        try #require(result.status == .code(0), "\(result.standardError)")
    }
}

extension InstructionCounts {
    /// Instructions in a stage; nil where it was not entered.
    func instructions(in stage: String?) -> Int64? { stages.first { $0.stage?.text == stage }?.instructions }

    /// Self instructions of a function in all stages.
    func instructions(ofFunction name: String) -> Int64 {
        guard let functions else { return 0 }
        return functions.samples.filter { functions.frames(of: $0).last?.function == name }
            .reduce(0) { $0 + $1.weight }
    }
}
