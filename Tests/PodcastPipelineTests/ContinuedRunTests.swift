import JSONDocument
import LinuxProcess
import LinuxSystem
import LoopbackServer
import Measurement
import TestSupport
import Testing

@testable import PodcastPipeline

@Suite("Nothing twice, nothing half")
struct ContinuedRunTests {
    @Test("what is done is not done again, unless asked for, whatever the feed does to the episode's place")
    func reused() throws {
        let scraper = try Scraper()
        try scraper.addShortClip(as: "one.mp3")
        try scraper.publish([("One", "one.mp3")])
        let server = try LoopbackServer(serving: scraper.site.path)
        let first = try scraper.run(server.url("/feed.xml"))
        #expect(first.status == .code(0), "\(first.standardError)")
        let outputs = try scraper.outputs()
        #expect(server.requestCount("/one.mp3") == 1)
        try scraper.addShortClip(as: "new.mp3")
        try scraper.publish([("New", "new.mp3"), ("One", "one.mp3")])
        let second = try scraper.run(server.url("/feed.xml"))
        #expect(second.standardError.contains("[2/2] One: done before, "))
        #expect(server.requestCount("/one.mp3") == 1)
        for (name, bytes) in outputs where !name.hasPrefix("index/") {
            #expect(try scraper.outputs()[name] == bytes)
        }
        // The same audio, heard after another episode or not, gives the same words.
        let transcripts = try scraper.outputs().filter {
            $0.key.hasPrefix("transcripts/") && $0.key.hasSuffix(".txt")
        }
        #expect(transcripts.count == 2 && Set(transcripts.values).count == 1)
        let fresh = try scraper.run(server.url("/feed.xml"), ["--no-resume", "--max-episodes", "1"])
        #expect(fresh.status == .code(0) && server.requestCount("/new.mp3") == 2)
    }

    @Test("a damaged output is made again")
    func damaged() throws {
        let scraper = try Scraper()
        try scraper.addShortClip(as: "one.mp3")
        try scraper.publish([("One", "one.mp3")])
        let server = try LoopbackServer(serving: scraper.site.path)
        #expect(try scraper.run(server.url("/feed.xml")).status == .code(0))
        let outputs = try scraper.outputs()
        let summary = try #require(outputs.keys.first { $0.hasPrefix("summaries/") })
        try Files.replace("\(scraper.output)/\(summary)", with: "cut")
        #expect(try scraper.run(server.url("/feed.xml")).status == .code(0))
        #expect(try scraper.outputs() == outputs)
    }

    @Test("killed at moments all over the run and run again, the outputs are those of an undisturbed run")
    func killed() throws {
        let undisturbed = try Scraper()
        for (name, seconds) in [("a", 3.6), ("b", 2)] {
            try undisturbed.addShortClip(as: "\(name).mp3", seconds: seconds)
        }
        try undisturbed.publish([("A", "a.mp3"), ("B", "b.mp3")])
        let server = try LoopbackServer(
            serving: undisturbed.site.path,
            faults: ["/a.mp3": .slow(bytesPerPart: 20_000, pause: .milliseconds(20))])
        #expect(try undisturbed.run(server.url("/feed.xml")).status == .code(0))
        let scraper = try Scraper()
        for delay in [50, 300, 1000] {
            var request = ChildRequest([
                BuiltProduct.path("podcast-scraper"), server.url("/feed.xml"), "--output-dir", scraper.output,
                "--allow-local",
            ])
            (request.standardOutput, request.standardError) = (.null, .null)
            var child = try ChildProcess.start(request)
            if try child.wait(timeout: .milliseconds(delay)) == nil { child.send(9) }
            _ = try child.wait(timeout: .seconds(10))
        }
        let last = try scraper.run(server.url("/feed.xml"))
        #expect(last.status == .code(0), "\(last.standardError)")
        #expect(try scraper.outputs() == undisturbed.outputs())
        #expect(!Files.exists(scraper.output + "/.work"))
    }

    @Test("with workers and downloads ahead the outputs are those of one stage after the other")
    func workers() throws {
        let serial = try Scraper()
        let parallel = try Scraper()
        try serial.addShortClip(as: "a.mp3")
        try serial.addShortClip(as: "b.mp3", seconds: 2)
        try serial.addShortClip(as: "c.mp3", seconds: 1)
        try serial.publish([("A", "a.mp3"), ("B", "b.mp3"), ("C", "c.mp3")])
        let server = try LoopbackServer(serving: serial.site.path)
        #expect(try serial.run(server.url("/feed.xml")).status == .code(0))
        let result = try parallel.run(server.url("/feed.xml"), ["--workers", "2", "--download-ahead", "2"])
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(try serial.outputs() == parallel.outputs())
    }

    @Test("a second run in the same directory reports which process is writing there")
    func locked() throws {
        let scraper = try Scraper()
        try Files.createDirectories(scraper.output)
        let lock = try FileDescriptor.open(scraper.output + "/.lock", .append)
        #expect(try lock.tryLockExclusively())
        try lock.write(Array("process 4711, since today\n".utf8))
        let result = try scraper.run("http://127.0.0.1:1/feed.xml")
        #expect(result.status == .code(73))
        #expect(
            result.standardError == "podcast-scraper: Another run (process 4711, since today) is writing to "
                + "'\(scraper.output)'. Wait for its end, or choose another --output-dir.\n")
    }

    @Test("a dry run lists and does nothing; --quiet prints nothing; the log file has the messages")
    func listed() throws {
        let scraper = try Scraper()
        try scraper.publish([("One", "one.mp3"), ("Two", "two.mp3")])
        let server = try LoopbackServer(serving: scraper.site.path)
        let log = scraper.site.path + "/log.jsonl"
        let result = try scraper.run(
            server.url("/feed.xml"),
            ["--dry-run", "--offset", "1", "--quiet", "--log-file", log, "--log-format", "json"])
        #expect(result.status == .code(0) && result.standardError.isEmpty && result.standardOutput.isEmpty)
        #expect(server.requestCount("/two.mp3") == 0)
        let lines = String(decoding: try Files.read(log, limit: 1 << 16), as: UTF8.self).split(
            separator: "\n")
        let messages = lines.map { JSONValue.parse(Array($0.utf8))?.object?["message"]?.string }
        #expect(messages == ["Test: 1 of 2 episodes", "[1/1] no date    Two"])
    }

    @Test("a feed's own transcript is used, and audio where it cannot be had")
    func offeredTranscript() throws {
        let scraper = try Scraper()
        try Files.replace(
            scraper.site.path + "/t.vtt",
            with: "WEBVTT\n\n00:00.000 --> 00:05.000\nHello from the feed transcript.\n")
        try scraper.addShortClip(as: "one.mp3")
        let items = ["t.vtt", "missing.vtt"].map {
            "<item><title>\($0)</title><enclosure url=\"one.mp3\"/><podcast:transcript url=\"\($0)\" type=\"text/vtt\"/></item>"
        }
        try Files.replace(
            scraper.site.path + "/feed.xml",
            with: "<rss xmlns:podcast=\"https://podcastindex.org/namespace/1.0\"><channel><title>T</title>"
                + "\(items.joined())</channel></rss>")
        let server = try LoopbackServer(serving: scraper.site.path)
        let result = try scraper.run(server.url("/feed.xml"))
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardError.contains("[1/2] t.vtt: 5 words, from the feed's transcript\n"))
        #expect(result.standardError.contains("[2/2] missing.vtt: 3."))
        #expect(server.requestCount("/one.mp3") == 1)
    }

    @Test("several feeds get a directory each, and one that fails leaves the others alone")
    func severalFeeds() throws {
        let scraper = try Scraper()
        try scraper.addShortClip(as: "one.mp3")
        try scraper.publish([("One", "one.mp3")])
        let server = try LoopbackServer(serving: scraper.site.path)
        let result = try scraper.run(
            server.url("/feed.xml"), [server.url("/gone.xml"), "--feeds-parallel", "2"])
        #expect(result.status == .code(66), "\(result.standardError)")
        #expect(result.standardOutput == "\(scraper.output)/corpus.json\n")
        let manifest = try #require(JSONValue.parse(Array(scraper.text("corpus.json").utf8))?.object)
        #expect(manifest["episodes_processed"]?.number == 1)
        let feeds = try #require(manifest["feeds"]?.array).compactMap(\.object)
        #expect(feeds.map { $0["failure"] != nil } == [false, true])
        let directory = try #require(feeds[0]["directory"]?.string)
        #expect(Files.exists("\(scraper.output)/\(directory)/metrics.json"))
        let transcripts = "\(scraper.output)/\(directory)/transcripts"
        let name = try #require(try Files.names(inDirectory: transcripts).first { $0.hasSuffix(".txt") })
        let said = String(decoding: try Files.read("\(transcripts)/\(name)", limit: 1 << 16), as: UTF8.self)
        let found = try runCommand([
            BuiltProduct.path("podcast-scraper"), "search", said, "--output-dir", scraper.output,
        ])
        #expect(found.status == .code(0) && found.standardOutput.contains("One"), "\(found)")
        let shown = try runCommand([
            BuiltProduct.path("podcast-scraper"), "show", "one", "--output-dir", scraper.output,
        ])
        #expect(shown.status == .code(0) && shown.standardOutput.contains("Insights"), "\(shown)")
    }

    @Test("the service prints a record for each run, and ends on SIGTERM")
    func service() throws {
        let scraper = try Scraper()
        try scraper.addShortClip(as: "one.mp3")
        try scraper.publish([("One", "one.mp3")])
        let server = try LoopbackServer(serving: scraper.site.path)
        let config = scraper.site.path + "/service.yaml"
        try Files.replace(
            config,
            with: "rss_url: \(server.url("/feed.xml"))\noutput_dir: \(scraper.output)\nallow_local: true\n")
        let out = scraper.site.path + "/records"
        let file = try FileDescriptor.open(out, .append)
        var request = ChildRequest([
            BuiltProduct.path("podcast-scraper"), "service", "--config", config, "--every", "1h",
        ])
        request.standardOutput = .descriptor(file.rawValue)
        var child = try ChildProcess.start(request)
        for _ in 0..<600 where try Files.size(out) == 0 { SystemClock.sleep(for: .milliseconds(50)) }
        child.send(15)
        #expect(try child.wait(timeout: .seconds(20))?.status == .code(0))
        let record = try #require(JSONValue.parse(Files.read(out, limit: 1 << 16))?.object)
        #expect(record["success"]?.bool == true && record["error"] == .null)
        try Files.replace(
            config, with: "rss: http://127.0.0.1:1/\noutput_dir: \(scraper.output)\nnonsense: 1\n")
        let failed = try runCommand([BuiltProduct.path("podcast-scraper"), "service", "--config", config])
        #expect(failed.status == .code(66) && failed.standardOutput.hasPrefix("{\"success\": false, "))
    }
}
