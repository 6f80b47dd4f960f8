import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

@testable import loopback_feed

@Suite("loopback-feed")
struct LoopbackFeedTests {
    private let tool = BuiltProduct.path("loopback-feed")

    private func site() throws -> TemporaryDirectory {
        let site = try TemporaryDirectory()
        try Files.replace(site.path + "/feed.xml", with: "<rss/>")
        return site
    }

    @Test(
        "the command finds the feed through its words and through the environment; its exit code is passed on"
    )
    func serves() throws {
        let site = try site()
        let script = "test \"x$LOOPBACK_FEED_URL\" = \"x$1\" && curl --silent --noproxy '*' \"$1\" && exit 7"
        let result = try runCommand([tool, site.path, "--", "sh", "-c", script, "sh", "{feed_url}"])
        #expect(result.standardOutput == "<rss/>")
        #expect(result.status == .code(7), "\(result.standardError)")
    }

    @Test("the command's own '--' and signal are passed on")
    func passesOn() throws {
        let site = try site()
        let result = try runCommand([
            tool, site.path, "--", "sh", "-c", "echo \"$@\"; kill -9 $$", "sh", "--", "{feed_url}x",
        ])
        #expect(result.standardOutput.hasPrefix("-- http://127.0.0.1:"))
        #expect(result.standardOutput.hasSuffix("/feed.xmlx\n"))
        #expect(result.status == .code(137))
    }

    @Test("a request to end reaches the command")
    func forwardsSignals() throws {
        let site = try site()
        let ready = site.path + "/ready"
        let script = "trap 'exit 5' TERM; : > '\(ready)'; while :; do sleep 0.05; done"
        var child = try ChildProcess.start(ChildRequest([tool, site.path, "--", "sh", "-c", script]))
        for _ in 0..<400 where !Files.exists(ready) { SystemClock.sleep(for: .milliseconds(25)) }
        try #require(Files.exists(ready))
        child.send(SignalInbox.terminate)
        #expect(try child.wait(timeout: .seconds(20))?.status == .code(5))
    }

    @Test("wrong usage is 64, a missing directory or command 66, each in a sentence")
    func refusals() throws {
        let site = try site()
        let usage = try runCommand([tool, site.path])
        #expect(usage.status == .code(64))
        #expect(
            usage.standardError == "loopback-feed: There is no command to run. Put it after '--'. "
                + "See 'loopback-feed --help'.\n")
        let directory = try runCommand([tool, site.path + "/none", "--", "true"])
        #expect(directory.status == .code(66))
        #expect(
            directory.standardError
                == "loopback-feed: Cannot find '\(site.path)/none': No such file or directory. "
                + "Give a directory that exists.\n")
        let command = try runCommand([tool, site.path, "--", "no-such-command"])
        #expect(command.status == .code(66))
        #expect(
            command.standardError == "loopback-feed: Cannot run 'no-such-command': there is no such program. "
                + "Check the spelling, or give its path.\n")
        let help = try runCommand([tool, "--help"])
        #expect(help.status == .code(0))
        #expect(help.standardOutput.contains("loopback-feed data/feeds/sense-and-sensibility -- "))
    }
}
