import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing
import YAMLDocument

@Suite("Archiving and pruning")
struct ArchivingTests {
    @Test("An old version moves with its companions, byte by byte, and is still found")
    func archiving() throws {
        let shelf = try Shelf()
        try shelf.add("v1", date: "2026-01-01T00:00:00Z")
        try shelf.add("v2", date: "2026-02-01T00:00:00Z")
        let before = try shelf.digests()
        let trial = try shelf.run("archive", "v1", "--dry-run")
        #expect(trial.status == .code(0))
        #expect(try shelf.digests() == before)
        let result = try shelf.run("archive", "v1")
        #expect(result.status == .code(0), "\(result.standardError)")
        let path = shelf.directory.path
        #expect(result.standardOutput == trial.standardOutput)
        #expect(result.standardOutput.contains("\(path)/v1.yaml -> \(path)/archive/v1.yaml\n"))
        var expected = before.filter { $0.key.hasPrefix("v2") }
        for (name, digest) in before where name.hasPrefix("v1") { expected["archive/\(name)"] = digest }
        #expect(try shelf.digests() == expected)
        // Found, and refused for what the fixture says of itself: one of its runs failed.
        #expect(try shelf.run("diff", "v1", "v2").status == .code(3))
        let again = try shelf.run("archive", "v1")
        #expect(again.status == .code(73))
        #expect(again.standardError.contains("v1 is in the archive already: '\(path)/archive/v1.yaml'."))
    }

    @Test("The newest version stays, unless by force")
    func newest() throws {
        let shelf = try Shelf()
        try shelf.add("v9", date: "2026-01-01T00:00:00Z")
        try shelf.add("v10", date: "2026-02-01T00:00:00Z")
        let before = try shelf.digests()
        let result = try shelf.run("archive", "v10")
        #expect(result.status == .code(64))
        #expect(
            result.standardError.contains(
                "v10 is the newest version in '\(shelf.directory.path)', and the next one will be compared with it."
            ))
        #expect(try shelf.digests() == before)
        #expect(try shelf.run("archive", "v10", "--force").status == .code(0))
        #expect(try shelf.store.versions().map(\.text) == ["v9"])
    }

    @Test("A move that was cut short at any point is finished by asking again")
    func interrupted() throws {
        let whole = try Shelf()
        try whole.add("v1", date: "2026-01-01T00:00:00Z")
        try whole.add("v2", date: "2026-02-01T00:00:00Z")
        let before = try whole.digests()
        #expect(try whole.run("archive", "v1").status == .code(0))
        let after = try whole.digests()
        let names = ["v1.yaml", "v1.monitor.log", "v1.stage_truth.json"]
        // Everything copied, and none, one or two of the originals removed; or only companions copied yet.
        for removed in 0...3 {
            let shelf = try Shelf()
            try shelf.add("v1", date: "2026-01-01T00:00:00Z")
            try shelf.add("v2", date: "2026-02-01T00:00:00Z")
            #expect(try shelf.digests() == before)
            try Files.createDirectories(shelf.store.archive.directory)
            for name in names where removed < 3 || name != "v1.yaml" {
                let bytes = try Files.read("\(shelf.directory.path)/\(name)", limit: 1 << 20)
                try Files.replace("\(shelf.store.archive.directory)/\(name)", with: bytes)
            }
            if removed < 3 {
                for name in names.prefix(removed) { try Files.remove("\(shelf.directory.path)/\(name)") }
            }
            #expect(try shelf.run("archive", "v1").status == .code(0))
            #expect(try shelf.digests() == after)
        }
    }

    @Test("Something else of that name in the archive is not replaced")
    func conflict() throws {
        let shelf = try Shelf()
        try shelf.add("v1", date: "2026-01-01T00:00:00Z")
        try shelf.add("v2", date: "2026-02-01T00:00:00Z")
        try Files.createDirectories(shelf.store.archive.directory)
        try Files.replace("\(shelf.store.archive.directory)/v1.monitor.log", with: "another\n")
        let before = try shelf.digests()
        let result = try shelf.run("archive", "v1")
        #expect(result.status == .code(73))
        #expect(result.standardError.contains("is there already and is not the same as"))
        #expect(try shelf.digests() == before)
    }

    @Test("A superseded reference is archived among the references, is found there, and keeps its name taken")
    func reference() throws {
        let shelf = try Shelf()
        try shelf.add("v1", date: "2026-01-01T00:00:00Z")
        try shelf.add("v2", date: "2026-02-01T00:00:00Z")
        #expect(try shelf.run("promote", "v1", "r1", "--reason", "first").status == .code(0))
        let path = shelf.directory.path
        let named = try shelf.run("diff", "references/r1", "v2", "--json", "--fail-on", "never")
        #expect(named.standardOutput.hasPrefix("{"), "\(named.standardError)")
        #expect(try shelf.run("archive", "references/r1").status == .code(0))
        #expect(Files.exists("\(path)/references/archive/r1.yaml"))
        #expect(!Files.exists("\(path)/references/r1.yaml") && !Files.exists("\(path)/archive/r1.yaml"))
        for name in ["r1", "references/archive/r1", "\(path)/references/archive/r1"] {
            let found = try shelf.run("diff", name, "v2", "--json", "--fail-on", "never")
            #expect(found.standardOutput == named.standardOutput, "\(name): \(found.standardError)")
        }
        let again = try shelf.run("promote", "v2", "r1", "--reason", "second")
        #expect(again.status == .code(73))
        #expect(again.standardError.contains("\(path)/references/archive/r1.yaml"))
        // The path below --profiles, as the references' own directory, is the same rule.
        let digests = try shelf.digests()
        let byDirectory = try runCommand([
            BuiltProduct.path("freeze-profile"), "promote", "v2", "r2", "--reason", "x", "--profiles", path,
        ])
        #expect(byDirectory.status == .code(0))
        let inside = try runCommand([
            BuiltProduct.path("freeze-profile"), "archive", "r2", "--profiles", "\(path)/references",
        ])
        #expect(inside.status == .code(0), "\(inside.standardError)")
        #expect(try shelf.run("promote", "v2", "r2", "--reason", "x").status == .code(73))
        #expect(try shelf.digests().count > digests.count)
    }

    @Test("A version that is not there, or cannot be read, is reported and stays")
    func unreadable() throws {
        let shelf = try Shelf()
        #expect(try shelf.run("archive", "v1").status == .code(66))
        try Files.replace("\(shelf.directory.path)/v1.yaml", with: "release: [")
        let result = try shelf.run("archive", "v1")
        #expect(result.status == .code(66))
        #expect(result.standardError.contains("is not a frozen profile"))
        #expect(Files.exists("\(shelf.directory.path)/v1.yaml"))
    }

    @Test("Pruning shows what it removes, keeps the newest, the references and what has no date")
    func pruning() throws {
        let shelf = try Shelf()
        for (index, version) in ["v1", "v2", "v3", "v4"].enumerated() {
            try shelf.add(version, date: "2026-0\(index + 1)-01T00:00:00Z")
        }
        try shelf.add("undated")
        let undated = "\(shelf.directory.path)/undated.yaml"
        let text = String(decoding: try Files.read(undated, limit: 1 << 20), as: UTF8.self)
        try Files.replace(
            undated,
            with: text.split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.hasPrefix("date: ") ? "date: yesterday" : $0 }.joined(separator: "\n"))
        try Files.replace("\(shelf.directory.path)/broken.yaml", with: "- 1\n")
        try Files.replace("\(shelf.directory.path)/notes.txt", with: "mine\n")
        #expect(try shelf.run("promote", "v1", "r1", "--reason", "x").status == .code(0))
        let before = try shelf.digests()
        let trial = try shelf.run("prune", "--keep", "2", "--dry-run")
        #expect(trial.status == .code(0))
        #expect(trial.standardError.contains("Would remove:\n  v1 of 2026-01-01, "))
        #expect(trial.standardError.contains("undated was left alone: "))
        #expect(trial.standardError.contains("broken was left alone: "))
        #expect(try shelf.digests() == before)
        let result = try shelf.run("prune", "--keep", "2")
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardOutput == trial.standardOutput)
        #expect(result.standardOutput.split(separator: "\n").count == 6)
        let expected = before.filter { !$0.key.hasPrefix("v1.") && !$0.key.hasPrefix("v2.") }
        #expect(try shelf.digests() == expected)
        // All are older than a day ago, and the newest stays all the same.
        #expect(try shelf.run("prune", "--older-than", "0").status == .code(0))
        #expect(try shelf.digests() == expected.filter { !$0.key.hasPrefix("v3.") })
        let nothing = try shelf.run("prune")
        #expect(nothing.status == .code(0) && nothing.standardError.contains("There is nothing to remove."))
    }

    @Test("What a killed freeze left is removed, what a living one is writing is not")
    func leftovers() throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        let left = "\(shelf.directory.path)/.freezing-v2.abc123"
        try Files.createDirectories("\(left)/replaced")
        try Files.replace("\(left)/v2.yaml", with: "half")
        var living: FileDescriptor? = try FileDescriptor.open(shelf.directory.path, .directory)
        try living?.lockExclusively()
        // While another process holds the directory's lock, pruning waits.
        let blocked = try runCommand(
            [BuiltProduct.path("freeze-profile"), "prune", "--profiles", shelf.directory.path],
            timeout: .milliseconds(700))
        #expect(blocked.status != .code(0))
        #expect(Files.exists("\(left)/v2.yaml"))
        living = nil
        let result = try shelf.run("prune")
        #expect(result.status == .code(0))
        #expect(result.standardError.contains("left over by a freeze that was killed, 4 B"))
        #expect(result.standardOutput == "\(left)\n")
        #expect(!Files.exists(left))
        #expect(try shelf.store.versions().map(\.text) == ["v1"])
    }

    @Test("Records go with their version, or when asked for, and never from under a living capture")
    func records() throws {
        let shelf = try Shelf()
        try shelf.add("v1", date: "2026-01-01T00:00:00Z")
        try shelf.add("v2", date: "2026-02-01T00:00:00Z")
        let base = "\(shelf.directory.path)/.records"
        for session in ["v1/s1", "v2/s1", "v2/s2", "unfinished/s1"] {
            try Files.createDirectories("\(base)/\(session)")
            try Files.replace("\(base)/\(session)/001-measured.json", with: "{}")
        }
        try Files.replace("\(base)/.gitignore", with: "*\n")
        #expect(try shelf.run("prune", "--keep", "1").status == .code(0))
        #expect(!Files.exists("\(base)/v1/s1") && Files.exists("\(base)/v2/s1"))
        let living = try FileDescriptor.open("\(base)/v2/s2", .directory)
        try living.lockExclusively()
        let result = try shelf.run("prune", "--records")
        #expect(result.status == .code(0))
        #expect(result.standardError.contains("  run records of unfinished, session s1, 2 B\n"))
        #expect(!Files.exists("\(base)/v2/s1") && !Files.exists("\(base)/unfinished/s1"))
        #expect(Files.exists("\(base)/v2/s2/001-measured.json") && Files.exists("\(base)/.gitignore"))
        #expect(try shelf.store.versions().map(\.text) == ["v2"])
    }

    @Test("References are not pruned, and numbers that are none are refused")
    func refusals() throws {
        let shelf = try Shelf()
        try shelf.add("v1")
        #expect(try shelf.run("promote", "v1", "r1", "--reason", "x").status == .code(0))
        let result = try runCommand([
            BuiltProduct.path("freeze-profile"), "prune", "--keep", "1", "--profiles",
            "\(shelf.directory.path)/references",
        ])
        #expect(result.status == .code(64))
        #expect(result.standardError.contains("holds references, which are kept for ever"))
        for words in [["--keep", "0"], ["--keep", "x"], ["--older-than", "-1"]] {
            let wrong = try shelf.run("prune", words[0], words[1])
            #expect(wrong.status == .code(64))
            #expect(wrong.standardError.contains("should be a whole number from"))
        }
    }
}
