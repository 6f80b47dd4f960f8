import LinuxSystem
import LoopbackServer
import Measurement
import TestSupport
import Testing

@testable import PodcastPipeline

@Suite("Fetching over HTTP")
struct HTTPClientTests {
    private func site() throws -> TemporaryDirectory {
        let site = try TemporaryDirectory()
        try Files.replace(site.path + "/body", with: [UInt8](repeating: 7, count: 100_000))
        return site
    }

    @Test("a body arrives whole, in memory and in a file, also in slow parts and after a redirect")
    func whole() throws {
        let site = try site()
        try Files.replace(site.path + "/slow", with: [UInt8](repeating: 8, count: 1000))
        let server = try LoopbackServer(
            serving: site.path,
            faults: [
                "/slow": .slow(bytesPerPart: 300, pause: .milliseconds(5)), "/old": .redirect(to: "/body"),
            ])
        let client = try HTTPClient()
        #expect(try client.get(server.url("/body")).body == [UInt8](repeating: 7, count: 100_000))
        #expect(try client.get(server.url("/slow")).body == [UInt8](repeating: 8, count: 1000))
        let target = site.path + "/copy"
        let response = try client.download(server.url("/old"), to: target)
        #expect(response.size == 100_000)
        #expect(response.effectiveURL == server.url("/body"))
        #expect(try Files.read(target, limit: 1 << 20) == [UInt8](repeating: 7, count: 100_000))
    }

    @Test("size and time are bounded")
    func bounds() throws {
        let site = try site()
        let server = try LoopbackServer(
            serving: site.path, faults: ["/slow": .slow(bytesPerPart: 1, pause: .seconds(60))])
        try Files.replace(site.path + "/slow", with: "slow")
        let client = try HTTPClient()
        var limits = HTTPClient.Limits.feed
        limits.maximumBytes = 99_999
        let tooLong = #expect(throws: HTTPError.self) { try client.get(server.url("/body"), limits: limits) }
        #expect(
            tooLong?.description
                == "Cannot fetch '\(server.url("/body"))': it is longer than the 98 KiB that are accepted.")
        limits.totalTimeout = .milliseconds(200)
        let tooSlow = #expect(throws: HTTPError.self) { try client.get(server.url("/slow"), limits: limits) }
        #expect(tooSlow?.description == "Cannot fetch '\(server.url("/slow"))': the server took too long.")
    }

    @Test("circles of redirects end")
    func redirectLoop() throws {
        let site = try site()
        let server = try LoopbackServer(serving: site.path, faults: ["/a": .redirect(to: "/a")])
        let error = #expect(throws: HTTPError.self) { try HTTPClient().get(server.url("/a")) }
        #expect(error?.description == "Cannot fetch '\(server.url("/a"))': it redirects too many times.")
    }

    @Test("a download never goes through a link or over a file that is there")
    func existingTarget() throws {
        let site = try site()
        let server = try LoopbackServer(serving: site.path)
        let target = site.path + "/body"
        let error = #expect(throws: HTTPError.self) {
            try HTTPClient().download(server.url("/body"), to: target)
        }
        #expect(error?.description == "Cannot open '\(target)': File exists.")
        #expect(try Files.size(target) == 100_000)
    }

    @Test(
        "relative references resolve as RFC 3986 says",
        arguments: [
            ("audio/1.mp3", "http://h:8/a/audio/1.mp3"), ("/1.mp3", "http://h:8/1.mp3"),
            ("../../1.mp3", "http://h:8/1.mp3"),
            ("//o/1.mp3", "http://o/1.mp3"), ("https://o/x?y=1", "https://o/x?y=1"),
            ("a b.mp3", "http://h:8/a/a%20b.mp3"),
        ])
    func resolution(reference: String, absolute: String) throws {
        #expect(try HTTPClient().resolve(reference, against: "http://h:8/a/feed.xml?q") == absolute)
    }

    @Test(
        "references to anything but the web resolve to nothing",
        arguments: ["file:///etc/passwd", "ftp://h/x", "javascript:1", "http://"])
    func refusedReferences(reference: String) throws {
        #expect(try HTTPClient().resolve(reference, against: "http://h/feed.xml") == nil)
    }

    @Test("a missing library is told with its package")
    func missingLibrary() {
        #expect(
            HTTPError.libraryMissing(reason: "libcurl.so.4: cannot open shared object file").description
                == "libcurl.so.4 cannot be opened (libcurl.so.4: cannot open shared object file). "
                + "Install the Debian package libcurl4.")
    }
}
