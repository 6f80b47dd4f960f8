import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

@Suite("A shelf as a site")
struct ShelfSiteTests {
    private let directory: TemporaryDirectory
    private var site: String { "\(directory.path)/site" }

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func freeze(_ version: String, month: Int, _ archives: Archives = .older) throws {
        try archives.freeze(version, date: "2026-0\(month)-10T14:20:00Z", in: "\(directory.path)/profiles")
    }

    private func write() throws -> CommandResult {
        try runCommand([
            BuiltProduct.path("freeze-profile"), "report", "--shelf", "-o", site, "--profiles",
            "\(directory.path)/profiles",
        ])
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try Files.read("\(site)/\(name)", limit: 1 << 24), as: UTF8.self)
    }

    @Test("Each version and each change has a page, links lead to pages, the first one names the function")
    func pages() throws {
        try freeze("v1", month: 1)
        try freeze("v2", month: 2, .newer)
        try freeze("v3", month: 3, .newer)
        let made = try write()
        try #require(made.status == .code(0), "\(made.standardError)")
        #expect(made.standardError.contains("6 pages written, 0 as they were"))
        let names = try Files.names(inDirectory: site).sorted()
        #expect(
            names == ["index.html", "v1..v2.html", "v1.html", "v2..v3.html", "v2.html", "v3.html"], "\(names)"
        )
        for name in names {
            for link in try text(name).matches(of: /<a href="([^"#]+)"/) {
                #expect(names.contains(String(link.output.1)), "\(name): \(link.output.1)")
            }
        }
        let index = try text("index.html")
        #expect(index.contains("ngram_search"), "the function behind v2's change")
        #expect(index.contains("verdict-regressed"))
        // The newest first.
        let places = try ["v3.html", "v2.html", "v1.html"].map { name in
            try #require(index.firstRange(of: "href=\"\(name)\"")).lowerBound
        }
        #expect(places == places.sorted())
    }

    @Test("Only what would differ is written again, and pages of versions that are gone go")
    func incremental() throws {
        try freeze("v1", month: 1)
        try freeze("v2", month: 2, .newer)
        _ = try write()
        let again = try write()
        #expect(again.standardError.contains("0 pages written, 4 as they were"), "\(again.standardError)")
        let sentence = try text("index.html")
        try freeze("v3", month: 3, .newer)
        let more = try write()
        // The new one, its comparison, the first page, v2, which has a link to what came after it, and what changed in v2: that
        // rests on what the shelf knows of noise, to which v3 has added. Nothing of v1 is another.
        #expect(more.standardError.contains("5 pages written, 1 as they were"), "\(more.standardError)")
        try Files.replace("\(site)/notes.html", with: "<p>not of a shelf</p>")
        for name in ["v3.yaml", "v3.stacks.pb.gz"] {
            try Files.remove("\(directory.path)/profiles/\(name)")
        }
        _ = try write()
        let names = try Files.names(inDirectory: site).sorted()
        #expect(names == ["index.html", "notes.html", "v1..v2.html", "v1.html", "v2.html"])
        #expect(try text("index.html") == sentence)
    }

    @Test("A page that is not of a shelf is not replaced, and a profile cannot choose where its page goes")
    func foreign() throws {
        try freeze("v1", month: 1)
        try Files.createDirectories(site)
        try Files.replace("\(site)/index.html", with: "<p>mine</p>")
        let refused = try write()
        #expect(refused.status == .code(73))
        #expect(refused.standardError.contains("is no page of a shelf, and is not replaced"))
        #expect(try text("index.html") == "<p>mine</p>")
        try Files.remove("\(site)/index.html")
        let path = "\(directory.path)/profiles/v1.yaml"
        let profile = try String(decoding: Files.read(path, limit: 1 << 20), as: UTF8.self)
        try Files.replace(
            "\(directory.path)/profiles/v2.yaml",
            with: profile.replacing("release: v1", with: "release: ../../out"))
        let made = try write()
        #expect(made.status == .code(0), "\(made.standardError)")
        let sentence = "'../../out', which cannot name a version"
        #expect(made.standardError.contains(sentence), "\(made.standardError)")
        #expect(!Files.exists("\(directory.path)/out.html"))
    }

    @Test("Without a directory, or with a version, it is wrong usage")
    func usage() throws {
        let tool = BuiltProduct.path("freeze-profile")
        for words in [["--shelf"], ["--shelf", "v1", "-o", "x"], ["--shelf", "-o", "-"], []] {
            #expect(try runCommand([tool, "report"] + words).status == .code(64), "\(words)")
        }
    }
}
