import LinuxProcess
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

    private func local(retries: Int = 3) throws -> HTTPClient {
        try HTTPClient(
            policy: AddressPolicy(allowsLocal: true),
            retries: .init(count: retries, firstPause: .milliseconds(10), maximumPause: .milliseconds(20)))
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
        let client = try local()
        #expect(try client.get(server.url("/body"))?.body == [UInt8](repeating: 7, count: 100_000))
        #expect(try client.get(server.url("/slow"))?.body == [UInt8](repeating: 8, count: 1000))
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
        let client = try local(retries: 0)
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
        let error = #expect(throws: HTTPError.self) { try local().get(server.url("/a")) }
        #expect(error?.description == "Cannot fetch '\(server.url("/a"))': it redirects too many times.")
    }

    @Test("a download never goes through a link")
    func linkedTarget() throws {
        let site = try site()
        let server = try LoopbackServer(serving: site.path)
        let target = site.path + "/link"
        try Files.replace(site.path + "/precious", with: "keep")
        #expect(try runCommand(["ln", "-s", site.path + "/precious", target]).status == .code(0))
        _ = try local().download(server.url("/body"), to: target)
        #expect(try Files.read(site.path + "/precious", limit: 10) == Array("keep".utf8))
        #expect(try Files.size(target) == 100_000)
    }

    @Test("what broke off is gone on with, and a failure that passes is met by trying again")
    func resumedAndRetried() throws {
        let site = try site()
        for name in ["cut", "busy", "gone"] {
            try Files.replace(
                "\(site.path)/\(name)", with: (0..<100_000).map { UInt8(truncatingIfNeeded: $0) })
        }
        let server = try LoopbackServer(
            serving: site.path,
            faults: [
                "/cut": .first(1, .truncated(afterBytes: 60_000)), "/busy": .first(2, .status(503)),
                "/gone": .status(503),
            ])
        let whole = try Files.read(site.path + "/cut", limit: 1 << 20)
        let target = site.path + "/copy"
        #expect(try local().download(server.url("/cut"), to: target).size == 100_000)
        #expect(try Files.read(target, limit: 1 << 20) == whole)
        #expect(server.requestCount("/cut") == 2 && !Files.exists(target + ".from"))
        #expect(try local().get(server.url("/busy"))?.body == whole)
        let error = #expect(throws: HTTPError.self) { try local().get(server.url("/gone")) }
        #expect(error == .status(url: server.url("/gone"), code: 503))
        #expect(server.requestCount("/gone") == 4)
    }

    @Test("a part of another version is not gone on with")
    func changedBetween() throws {
        let site = try site()
        let server = try LoopbackServer(
            serving: site.path, faults: ["/body": .first(1, .truncated(afterBytes: 5000))])
        let target = site.path + "/copy"
        #expect(throws: HTTPError.self) { try local(retries: 0).download(server.url("/body"), to: target) }
        #expect(try Files.size(target) == 5000 && Files.exists(target + ".from"))
        try Files.replace(site.path + "/body", with: [UInt8](repeating: 9, count: 90_000))
        #expect(try local().download(server.url("/body"), to: target).size == 90_000)
        #expect(try Files.read(target, limit: 1 << 20) == [UInt8](repeating: 9, count: 90_000))
    }

    @Test("what has not changed is not sent again")
    func conditional() throws {
        let site = try site()
        let server = try LoopbackServer(serving: site.path)
        let first = try #require(try local().get(server.url("/body")))
        #expect(first.response.head.validators.entityTag != nil)
        let second = try local().get(server.url("/body"), ifChangedSince: first.response.head.validators)
        #expect(second == nil)
    }

    @Test(
        "addresses of this machine and of private networks are refused, at redirects too, but for the port allowed"
    )
    func refusedAddresses() throws {
        let site = try site()
        let other = try LoopbackServer(serving: site.path)
        let server = try LoopbackServer(
            serving: site.path, faults: ["/away": .redirect(to: other.url("/body"))])
        let error = #expect(throws: HTTPError.self) { try HTTPClient().get(server.url("/body")) }
        #expect(
            error?.description
                == "Cannot fetch '\(server.url("/body"))': it leads to this machine or to a private network. "
                + "Give --allow-local if that is meant.")
        #expect(throws: HTTPError.addressRefused(url: "http://localhost:\(server.port)/body")) {
            try HTTPClient().get("http://localhost:\(server.port)/body")
        }
        let narrow = try HTTPClient(policy: AddressPolicy(loopbackPort: server.port))
        #expect(try narrow.get(server.url("/body"))?.body.count == 100_000)
        #expect(throws: HTTPError.addressRefused(url: other.url("/body"))) {
            try narrow.get(server.url("/away"))
        }
    }

    @Test(
        "however an address of this machine is written, it is refused after its resolution",
        arguments: [
            "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "0", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]",
            "[::]", "localhost", "LOCALHOST", "169.254.169.254", "10.0.0.1", "192.168.1.1", "[fe80::1]",
            "[fd00::1]",
        ])
    func otherSpellings(host: String) throws {
        let site = try site()
        let server = try LoopbackServer(serving: site.path)
        let client = try HTTPClient(retries: .init(count: 0))
        var limits = HTTPClient.Limits.feed
        limits.connectTimeout = .seconds(2)
        func expectRefusal(_ client: HTTPClient, _ url: String) {
            let error = #expect(throws: HTTPError.self) { try client.get(url, limits: limits) }
            // The address is named as libcurl understands it.
            guard case .addressRefused = error else {
                Issue.record("\(url): \(String(describing: error))")
                return
            }
        }
        expectRefusal(client, "http://\(host):\(server.port)/body")
        // A redirect is judged as the first address is: from a server that may be reached to one that may not.
        let away = try LoopbackServer(
            serving: site.path,
            faults: ["/away": .redirect(to: "http://\(host):\(server.port)/body")])
        let narrow = try HTTPClient(
            policy: AddressPolicy(loopbackPort: away.port), retries: .init(count: 0))
        expectRefusal(narrow, away.url("/away"))
        #expect(server.requestCount("/body") == 0)
    }

    @Test(
        "the registry of special addresses decides what is public",
        arguments: [
            ([8, 8, 8, 8], true), ([10, 1, 2, 3], false), ([172, 15, 0, 1], true), ([172, 31, 0, 1], false),
            ([192, 168, 1, 1], false), ([169, 254, 169, 254], false), ([100, 64, 0, 1], false),
            ([127, 8, 0, 1], false),
            ([0, 0, 0, 0], false), ([224, 0, 0, 1], false), ([255, 255, 255, 255], false),
            ([100, 128, 0, 1], true),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], false),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127, 0, 0, 1], false),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 8, 8, 8, 8], true),
            ([0x20, 0x02, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], false),
            ([0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], false),
            ([0xFC, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], false),
            ([0x26, 0x06, 0x47, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], true), ([], false),
        ] as [([UInt8], Bool)])
    func publicAddresses(address: [UInt8], isPublic: Bool) {
        #expect(AddressPolicy.isPublic(address) == isPublic)
    }

    @Test(
        "what opens a feed is not shown",
        arguments: [
            ("https://user:pass@h.org/f?a=1", "https://h.org/f?a=1"),
            ("https://h.org/f?token=abc&x=2#t", "https://h.org/f?token=...&x=2#t"),
            ("https://h.org/a@b", "https://h.org/a@b"),
            ("audio/1.mp3?Signature=x", "audio/1.mp3?Signature=..."),
        ])
    func shown(address: String, text: String) {
        #expect(WebAddress.shown(address) == text)
    }

    @Test(
        "a text with an address that lets its reader in is recognised",
        arguments: [
            ("<link>https://ann:x@h.org/f</link>", true),
            ("<enclosure url=\"1.mp3?a=1&amp;token=x\"/>", true),
            ("x?Signature=1", true), ("https://h.org/a@b ann@h.org", false), ("a: //b@c", false),
            ("why? key=1; session", false), ("x?a=1&b=2", false), ("", false), ("?", false),
            ("http://", false),
        ])
    func secretInText(text: String, isSecret: Bool) {
        #expect(WebAddress.isSecretIn(Array(text.utf8)) == isSecret)
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

    @Test("a missing library is reported with its package")
    func missingLibrary() {
        #expect(
            HTTPError.libraryMissing(reason: "libcurl.so.4: cannot open shared object file").description
                == "libcurl.so.4 cannot be opened (libcurl.so.4: cannot open shared object file). "
                + "Install the Debian package libcurl4.")
    }
}
