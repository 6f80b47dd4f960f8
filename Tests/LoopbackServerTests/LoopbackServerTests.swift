import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@testable import LoopbackServer

/// curl's command line is the independent client.
private func curl(_ arguments: String...) throws -> CommandResult {
    try runCommand(["curl", "--silent", "--show-error", "--max-time", "20", "--noproxy", "*"] + arguments)
}

@Suite("The loopback server")
struct LoopbackServerTests {
    private func site() throws -> TemporaryDirectory {
        let site = try TemporaryDirectory()
        try Files.createDirectories(site.path + "/public/audio")
        try Files.replace(site.path + "/public/feed.xml", with: "<rss/>")
        try Files.replace(site.path + "/public/audio/a b.mp3", with: "sound")
        try Files.replace(site.path + "/secret", with: "secret")
        return site
    }

    private func tag(_ path: String) throws -> String {
        "\"\(try Files.size(path))-\(try Files.modified(path).nanosecondsSinceEpoch)\""
    }

    @Test("parts, versions and hosts: 206, 304, 416, 421")
    func parts() throws {
        let site = try site()
        let server = try LoopbackServer(serving: site.path + "/public")
        let url = server.url("/audio/a%20b.mp3")
        let tag = try tag(site.path + "/public/audio/a b.mp3")
        #expect(try curl("-r", "2-", url).standardOutput == "und")
        #expect(try curl("-H", "If-Range: \(tag)", "-r", "2-", url).standardOutput == "und")
        #expect(try curl("-H", "If-Range: \"other\"", "-r", "2-", url).standardOutput == "sound")
        #expect(try status(url, "-r", "9-") == "416")
        #expect(try status(url, "-H", "If-None-Match: \(tag)") == "304")
        #expect(try status(url, "-H", "Host: rebound.example") == "421")
        #expect(try status(url, "-H", "Host: localhost:\(server.port)") == "200")
        #expect(server.requestCount("/audio/a b.mp3") == 6)
    }

    private func status(_ url: String, _ more: String...) throws -> String {
        try runCommand(
            [
                "curl", "--silent", "--max-time", "20", "--noproxy", "*", "--path-as-is", "-o", "/dev/null",
                "-w", "%{http_code}",
            ]
                + more + [url]
        ).standardOutput
    }

    @Test("files are served with their length and media type")
    func serves() throws {
        let site = try site()
        let server = try LoopbackServer(serving: site.path + "/public")
        let feed = try curl("-i", server.url("/feed.xml?session=1"))
        #expect(
            feed.standardOutput == "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml; charset=utf-8\r\n"
                + "Content-Length: 6\r\nETag: \(try tag(site.path + "/public/feed.xml"))\r\nConnection: close\r\n\r\n<rss/>"
        )
        let head = try curl("-I", server.url("/audio/a%20b.mp3"))
        #expect(
            head.standardOutput == "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: 5\r\n"
                + "ETag: \(try tag(site.path + "/public/audio/a b.mp3"))\r\nConnection: close\r\n\r\n")
    }

    @Test("paths and links that lead out of the directory are refused, those within are served")
    func confinement() throws {
        let site = try site()
        let root = site.path + "/public"
        for (target, link) in [("../secret", "out"), ("feed.xml", "in.xml"), ("/etc", "etc")] {
            #expect(try runCommand(["ln", "-s", target, "\(root)/\(link)"]).status == .code(0))
        }
        let server = try LoopbackServer(serving: root)
        #expect(try status(server.url("/in.xml")) == "200")
        #expect(try status(server.url("/out")) == "404")
        #expect(try status(server.url("/etc/passwd")) == "404")
        #expect(try status(server.url("/../secret")) == "400")
        #expect(try status(server.url("/audio/%2e%2e/%2e%2e/secret")) == "400")
        #expect(try status(server.url("/audio")) == "404")
        #expect(try status(server.url("/")) == "404")
        #expect(try status(server.url("/feed.xml%00.mp3")) == "400")
    }

    @Test("other methods and endless headers are refused")
    func malformedRequests() throws {
        let site = try site()
        let server = try LoopbackServer(serving: site.path + "/public")
        #expect(try status(server.url("/feed.xml"), "-X", "DELETE") == "405")
        #expect(
            try status(server.url("/feed.xml"), "-H", "X: " + String(repeating: "x", count: 9000)) == "431")
    }

    @Test(
        "request lines are read strictly",
        arguments: [
            ("GET / HTTP/1.1\r\n", nil), ("GET /a%41 HTTP/1.0\r\n", nil), ("GET /\r\n", 400), ("", 400),
            ("GET http://h/ HTTP/1.1\r\n", 400), ("GET /%4 HTTP/1.1\r\n", 400),
            ("GET /%ff HTTP/1.1\r\n", 400),
            ("GET /a b HTTP/1.1\r\n", 400), ("GET / HTTP/2\r\n", 400), ("PUT / HTTP/1.1\r\n", 405),
        ] as [(String, Int?)])
    func requestLines(line: String, refusal: Int?) {
        let result = Result { () throws(HTTPRequest.Problem) in try HTTPRequest.parse(Array(line.utf8)) }
        switch result {
        case .success: #expect(refusal == nil)
        case .failure(let problem): #expect(problem.status == refusal)
        }
    }

    @Test("faults are acted out: a status, a body cut short, a slow body")
    func faults() throws {
        let site = try site()
        let server = try LoopbackServer(
            serving: site.path + "/public",
            faults: [
                "/feed.xml": .status(503), "/audio/a b.mp3": .truncated(afterBytes: 2),
                "/slow.xml": .slow(bytesPerPart: 1, pause: .milliseconds(20)),
            ])
        try Files.replace(site.path + "/public/slow.xml", with: "<rss/>")
        #expect(try status(server.url("/feed.xml")) == "503")
        let cut = try curl(server.url("/audio/a%20b.mp3"))
        #expect(cut.standardOutput == "so")
        #expect(cut.status == .code(18))
        let start = SystemClock.monotonicNanoseconds
        #expect(try curl(server.url("/slow.xml")).standardOutput == "<rss/>")
        #expect(SystemClock.monotonicNanoseconds - start >= 6 * 20_000_000)
    }

    @Test("it is bound to 127.0.0.1 and gone with its handle, also amid a slow body")
    func lifetime() throws {
        let site = try site()
        let url: String
        do {
            let server = try LoopbackServer(
                serving: site.path + "/public",
                faults: ["/feed.xml": .slow(bytesPerPart: 1, pause: .seconds(600))])
            url = server.url("/feed.xml")
            let sockets = String(decoding: try Files.read("/proc/net/tcp", limit: 1 << 24), as: UTF8.self)
            let hexadecimal = String(server.port, radix: 16, uppercase: true)
            let port = String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
            #expect(sockets.contains(" 0100007F:\(port) 00000000:0000 0A "))
            #expect(!sockets.contains(" 00000000:\(port) "))
            let slow = try runCommand(["curl", "--silent", "--max-time", "0.3", "--noproxy", "*", url])
            #expect(slow.status == .code(28))
        }
        #expect(try curl(url).status == .code(7))
    }

    @Test("what is no directory is refused")
    func notADirectory() throws {
        let site = try site()
        #expect(throws: SystemError.self) { _ = try LoopbackServer(serving: site.path + "/none").port }
        #expect(throws: SystemError.self) { _ = try LoopbackServer(serving: site.path + "/secret").port }
    }
}
