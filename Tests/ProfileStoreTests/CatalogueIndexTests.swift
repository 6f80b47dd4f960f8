import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileSamples
import TestSupport
import Testing

@testable import ProfileStore

@Suite("The index of a large shelf")
struct CatalogueIndexTests {
    /// Writes versions that differ in their release, as old as a minute.
    private func shelf(_ count: Int, in directory: TemporaryDirectory) throws -> ProfileStore {
        let store = ProfileStore(directory: "\(directory.path)/shelf")
        try store.freeze(try Samples.profile(), as: VersionName("v1.0"))
        let text = String(
            decoding: try Files.read(store.path(of: VersionName("v1.0")), limit: 1 << 20), as: UTF8.self)
        for number in 1..<count {
            try Files.replace(
                "\(store.directory)/v1.\(number).yaml",
                with: text.replacing("release: v1.2.0", with: "release: 'r%\(number)'"))
        }
        return store
    }

    private func cells(_ catalogue: ProfileCatalogue) -> [VersionSummary?] {
        catalogue.entries.map(\.summary)
    }

    @Test("What it says is what the files say, before and after one of them changes")
    func sameAsFiles() throws {
        let directory = try TemporaryDirectory()
        let cache = "\(directory.path)/cache"
        let store = try shelf(CatalogueIndex.fewestVersions + 5, in: directory)
        try Files.replace("\(store.directory)/regression_rules.yaml", with: "rules: 1\n")
        // Files that have just been written are not kept: they may change again unseen.
        _ = try ProfileCatalogue(store, cache: cache)
        SystemClock.sleep(for: .milliseconds(2200))
        let plain = try ProfileCatalogue(store)
        let first = try ProfileCatalogue(store, cache: cache)
        #expect(try Files.names(inDirectory: cache).count == 1)
        let second = try ProfileCatalogue(store, cache: cache)
        #expect(cells(first) == cells(plain) && cells(second) == cells(plain))
        #expect(second.table() == plain.table() && second.json == plain.json)
        #expect(plain.entries.count == CatalogueIndex.fewestVersions + 5)

        // It is used: with an index of another content, the list says that.
        let index = try #require(try Files.names(inDirectory: cache).first)
        let text = String(decoding: try Files.read("\(cache)/\(index)", limit: 1 << 20), as: UTF8.self)
        try Files.replace("\(cache)/\(index)", with: text.replacing("r%257\t", with: "forged\t"))
        let forged = try ProfileCatalogue(store, cache: cache)
        #expect(forged.entries.contains { $0.summary?.release == "forged" })

        // A file that changes is read again.
        let path = "\(store.directory)/v1.7.yaml"
        let changed = String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self)
        try Files.replace(path, with: changed.replacing("release: 'r%7'", with: "release: anew"))
        let third = try ProfileCatalogue(store, cache: cache)
        #expect(third.entries.contains { $0.summary?.release == "anew" })
        #expect(!third.entries.contains { $0.summary?.release == "forged" })
    }

    @Test("A damaged index, or no place for one, changes nothing")
    func damaged() throws {
        let directory = try TemporaryDirectory()
        let store = try shelf(CatalogueIndex.fewestVersions, in: directory)
        SystemClock.sleep(for: .milliseconds(2200))
        let plain = cells(try ProfileCatalogue(store))
        let cache = "\(directory.path)/cache"
        _ = try ProfileCatalogue(store, cache: cache)
        let index = try #require(try Files.names(inDirectory: cache).first)
        let bytes = try Files.read("\(cache)/\(index)", limit: 1 << 20)
        for cut in [0, 10, bytes.count / 2, bytes.count - 3] {
            try Files.replace("\(cache)/\(index)", with: Array(bytes[..<cut]))
            #expect(cells(try ProfileCatalogue(store, cache: cache)) == plain)
        }
        #expect(cells(try ProfileCatalogue(store, cache: "/proc/none")) == plain)
    }

    @Test("Of few versions there is none")
    func few() throws {
        let directory = try TemporaryDirectory()
        let store = try shelf(3, in: directory)
        _ = try ProfileCatalogue(store, cache: "\(directory.path)/cache")
        #expect(!Files.exists("\(directory.path)/cache"))
    }
}
