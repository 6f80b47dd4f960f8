import LinuxProcess
import LinuxSystem
import LoopbackServer
import Measurement
import TestSupport
import Testing

@testable import PodcastPipeline

@Suite("A server that does all that servers do")
struct BadServerTests {
    @Test("every good episode is done, and each failure is named")
    func everything() throws {
        let scraper = try Scraper()
        try scraper.addShortClip(as: "good.mp3", seconds: 1)
        let clip = try Files.read(scraper.site.path + "/good.mp3", limit: 1 << 20)
        let good = ["good", "slow", "once", "cut-once", "moved", "image", "page-type", "no-type", "octets"]
        for name in good where name != "good" {
            try Files.replace("\(scraper.site.path)/\(name).mp3", with: clip)
        }
        for name in ["cut", "gone", "broken"] {
            try Files.replace("\(scraper.site.path)/\(name).mp3", with: clip)
        }
        try Files.replace(scraper.site.path + "/page.mp3", with: "<!DOCTYPE html><html></html>")
        try Files.replace(scraper.site.path + "/picture.mp3", with: [0xFF, 0xD8, 0xFF, 0xE0])
        try Files.replace(scraper.site.path + "/empty.mp3", with: "")
        let bad = [
            ("cut", "the connection closed before the end of the body"),
            ("broken", "the server answered 503"),
            ("gone", "the server answered 410 (not found)"),
            ("missing", "the server answered 404 (not found)"),
            ("circle", "it redirects too many times"),
            ("endless", "it is longer than the 1.0 MiB that are accepted"),
            ("page", "gives is a web page, nothing to hear"),
            ("picture", "gives is a JPEG picture, nothing to hear"),
            ("empty", "gives is an empty file, nothing to hear"),
            ("elsewhere", "only http and https addresses are fetched"),
        ]
        try scraper.publish((good + bad.map(\.0)).map { ($0, "\($0).mp3") })
        let server = try LoopbackServer(
            serving: scraper.site.path,
            faults: [
                "/slow.mp3": .slow(bytesPerPart: 8000, pause: .milliseconds(10)),
                "/once.mp3": .first(1, .status(503)),
                "/cut-once.mp3": .first(1, .truncated(afterBytes: 9000)),
                "/moved.mp3": .redirect(to: "/good.mp3"),
                "/image.mp3": .typed("image/jpeg"), "/page-type.mp3": .typed("text/html"),
                "/octets.mp3": .typed("application/octet-stream"), "/no-type.mp3": .typed(""),
                "/cut.mp3": .truncated(afterBytes: 100), "/broken.mp3": .status(503),
                "/gone.mp3": .status(410),
                "/circle.mp3": .redirect(to: "/circle.mp3"), "/endless.mp3": .endless,
                "/elsewhere.mp3": .redirect(to: "file:///etc/passwd"),
            ])
        let result = try scraper.run(server.url("/feed.xml"), ["--retries", "1", "--max-media-mb", "1"])
        #expect(result.status == .code(4))
        let lines = result.standardError.split(separator: "\n")
        for name in good {
            let line = try #require(lines.first { $0.contains("] \(name): ") })
            #expect(!line.contains("failed"), "\(line)")
        }
        for (name, reason) in bad {
            let line = try #require(lines.first { $0.contains("] \(name): ") })
            #expect(line.contains("failed in media_download: ") && line.contains(reason), "\(line)")
        }
        #expect(
            result.standardError.hasSuffix(
                "podcast-scraper: \(bad.count) of \(good.count + bad.count) episodes failed; the reasons are above and in "
                    + "'\(scraper.output)/metrics.json'.\n"))
    }

    @Test("what an observer watches gets no second monitor")
    func observed() throws {
        let scraper = try Scraper()
        let result = try scraper.run(
            "http://127.0.0.1:1/feed.xml", ["--monitor"],
            environment: [
                "PIPELINE_OUTPUT_DIR": scraper.output,
                "PIPELINE_STATUS_FILE": scraper.output + "/.pipeline_status.json",
            ])
        #expect(result.standardError.contains("this run is watched already; no second monitor is started"))
        #expect(!Files.exists(scraper.output + "/.monitor.log"))
    }

    @Test("without the flag this machine is not reached, but for the feed that loopback-feed serves")
    func local() throws {
        let scraper = try Scraper()
        try scraper.addShortClip(as: "one.wav", seconds: 1)
        try scraper.publish([("One", "one.wav")])
        let server = try LoopbackServer(serving: scraper.site.path)
        let tool = BuiltProduct.path("podcast-scraper")
        let refused = try runCommand([tool, server.url("/feed.xml"), "--output-dir", scraper.output])
        #expect(refused.status == .code(66))
        #expect(refused.standardError.contains("it leads to this machine or to a private network"))
        let served = try runCommand([
            BuiltProduct.path("loopback-feed"), scraper.site.path, "--", tool, "{feed_url}", "--output-dir",
            scraper.output,
        ])
        #expect(served.status == .code(0), "\(served.standardError)")
    }

    @Test("credentials in addresses are neither stored nor printed, and reach no other host by a redirect")
    func credentials() throws {
        let scraper = try Scraper()
        try scraper.addShortClip(as: "one.wav", seconds: 1)
        let server = try LoopbackServer(
            serving: scraper.site.path,
            faults: ["/moved.xml": .redirect(to: "/feed.xml"), "/lost.mp3": .status(503)])
        func secret(_ path: String) -> String {
            server.url(path).replacing("://", with: "://ann:hunter2@") + "?token=hunter2&a=1"
        }
        try scraper.publish([("One", secret("/one.wav")), ("Lost", secret("/lost.mp3"))])
        let feed = try String(
            decoding: Files.read(scraper.site.path + "/feed.xml", limit: 1 << 16), as: UTF8.self)
        try Files.replace(scraper.site.path + "/feed.xml", with: feed.replacing("&a=1", with: "&amp;a=1"))
        for path in ["/feed.xml", "/moved.xml", "/none.xml"] {
            let result = try scraper.run(secret(path), ["--retries", "0"])
            #expect(result.status == .code(path == "/none.xml" ? 66 : 4), "\(result.standardError)")
            #expect(!(result.standardOutput + result.standardError).contains("hunter2"), "\(result)")
            let found = try runCommand(["grep", "-rl", "hunter2", scraper.output])
            #expect(found.standardOutput == "", "stored in \(found.standardOutput)")
        }
        // The media were fetched at all, with the credentials.
        #expect(server.requestCount("/one.wav") > 0)
    }
}
