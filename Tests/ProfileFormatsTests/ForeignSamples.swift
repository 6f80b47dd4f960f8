import Foundation
import LinuxSystem

/// Small files in the formats of other tools, written by hand from the formats' descriptions.
enum ForeignSamples {
    /// The files, by name.
    static let names = [
        "perf-script.txt", "sampled.speedscope.json", "evented.speedscope.json", "v8.cpuprofile",
        "chrome-trace.json", "callgrind.out", "heaptrack.txt", "memray.csv", "gprof2dot.json",
    ]

    static func read(_ name: String) throws -> String {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return String(
            decoding: try Files.read(tests.appending(path: "Fixtures/formats/\(name)").path, limit: 1 << 20),
            as: UTF8.self)
    }

    static let perfScript = load("perf-script.txt")
    static let speedscope = load("sampled.speedscope.json")
    static let events = load("evented.speedscope.json")
    static let cpuProfile = load("v8.cpuprofile")
    static let trace = load("chrome-trace.json")
    static let callgrind = load("callgrind.out")
    static let heaptrack = load("heaptrack.txt")
    static let memray = load("memray.csv")
    static let chains = load("gprof2dot.json")

    private static func load(_ name: String) -> String {
        do {
            return try read(name)
        } catch {
            return "\(error)"
        }
    }
}
