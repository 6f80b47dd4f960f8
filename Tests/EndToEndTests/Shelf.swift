import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import MessageDigest
import ProfileStore
import TestSupport
import Testing
import YAMLDocument

/// A directory of profiles made by hand, and the tool run on it.
struct Shelf {
    let directory: TemporaryDirectory
    var store: ProfileStore { ProfileStore(directory: directory.path) }

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Freezes the fixture as a version, with its companions.
    func add(
        _ version: String, date: String = "2026-02-10T14:20:00Z", truth: Bool = true,
        change: (inout FrozenProfile) -> Void = { _ in }
    ) throws {
        var profile = try ProfileStore.load(path: BuiltProduct.fixture("frozen-profile.yaml"))
        profile.release = version
        profile.date = date
        change(&profile)
        var companions: [(kind: CompanionKind, source: CompanionSource)] = [
            (.monitorLog, .bytes(Array("a log of \(version)\n".utf8)))
        ]
        if truth { companions.append((.stageTruth, .bytes(Shelf.truth(of: profile).encode()))) }
        try store.freeze(profile, as: VersionName(version), companions: companions)
    }

    static func truth(of profile: FrozenProfile) -> StageTruth {
        StageTruth(
            release: profile.release, datasetID: profile.datasetID, generatedAt: profile.date,
            run: profile.totals.use,
            stages: profile.stages.map {
                .init(stage: $0.stage, entered: .value(1), use: $0.use, source: "event trace")
            }, transitions: [],
            monitor: .init(isEnabled: true, lines: .value(1), bytes: .value(9)))
    }

    func run(_ words: String...) throws -> CommandResult {
        try runCommand([BuiltProduct.path("freeze-profile")] + words + ["--profiles", directory.path])
    }

    /// All files with their digests, the directories in it included.
    func digests(_ path: String? = nil) throws -> [String: String] {
        let path = path ?? directory.path
        var found: [String: String] = [:]
        for name in try Files.names(inDirectory: path) {
            let one = "\(path)/\(name)"
            if Files.isDirectory(one) {
                found.merge(try digests(one)) { first, _ in first }
            } else {
                found[String(one.dropFirst(directory.path.count + 1))] = try SHA256.file(one).sha256
            }
        }
        return found
    }

    func text(_ name: String) throws -> String {
        String(decoding: try Files.read("\(directory.path)/\(name)", limit: 1 << 24), as: UTF8.self)
    }
}
