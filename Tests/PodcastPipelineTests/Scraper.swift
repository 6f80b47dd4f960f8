import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// A feed of its own for each test, and the real executable run on it.
struct Scraper {
    let site: TemporaryDirectory
    let output: String

    static let clips = BuiltProduct.packageDirectory + "/data/feeds/sense-and-sensibility/audio"

    init() throws {
        site = try TemporaryDirectory()
        output = site.path + "/out"
    }

    /// Writes `feed.xml` with an item for each title and enclosure.
    func publish(_ items: [(title: String, media: String)]) throws {
        let body = items.map {
            "<item><title><![CDATA[\($0.title)]]></title><enclosure url=\"\($0.media)\" type=\"audio/mpeg\"/></item>"
        }
        try Files.replace(
            site.path + "/feed.xml",
            with: "<rss version=\"2.0\"><channel><title>Test</title>\(body.joined())</channel></rss>")
    }

    func addClip(as name: String) throws {
        try Files.replace(
            "\(site.path)/\(name)", with: Files.read(Self.clips + "/01-brother.mp3", limit: 1 << 20))
    }

    /// The first seconds of a clip.
    func addShortClip(as name: String, seconds: Double = 3.6) throws {
        let made = try runCommand([
            "ffmpeg", "-nostdin", "-loglevel", "error", "-i", Self.clips + "/01-brother.mp3", "-t",
            "\(seconds)",
            "-f", "wav",
            "\(site.path)/\(name)",
        ])
        #expect(made.status == .code(0), "\(made.standardError)")
    }

    func run(_ feed: String, _ more: [String] = [], environment: [String: String] = [:]) throws
        -> CommandResult
    {
        try runCommand(
            [BuiltProduct.path("podcast-scraper"), feed, "--output-dir", output, "--allow-local"] + more,
            environment: environment)
    }

    /// All files of the run, by path, but for those about this run alone.
    func outputs() throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for directory in ["episodes", "transcripts", "summaries", "insights", "graphs", "index"] {
            for name in try Files.names(inDirectory: "\(output)/\(directory)") {
                found["\(directory)/\(name)"] = try Files.read(
                    "\(output)/\(directory)/\(name)", limit: 1 << 24)
            }
        }
        return found
    }

    func text(_ name: String) throws -> String {
        String(decoding: try Files.read("\(output)/\(name)", limit: 1 << 20), as: UTF8.self)
    }
}
