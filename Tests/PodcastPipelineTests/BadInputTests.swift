import JSONDocument
import LinuxProcess
import LinuxSystem
import LoopbackServer
import Measurement
import Stages
import TestSupport
import Testing

@testable import PodcastPipeline

@Suite("Bad input to the pipeline")
struct BadInputTests {
    @Test("where no server listens there is no feed: 66")
    func connectionRefused() throws {
        let scraper = try Scraper()
        let url = "http://127.0.0.1:\(try closedPort())/feed.xml"
        let result = try scraper.run(url)
        #expect(result.status == .code(66))
        #expect(
            result.standardError
                == "podcast-scraper: Cannot fetch '\(url)': nothing accepts connections there. Check the feed's address.\n"
        )
        #expect(result.standardOutput.isEmpty)
    }

    /// A port that was free a moment ago.
    private func closedPort() throws -> UInt16 { try LoopbackListener().port }

    @Test("a feed that is not there, or at no web address: 66")
    func notFound() throws {
        let scraper = try Scraper()
        let server = try LoopbackServer(serving: scraper.site.path)
        let url = server.url("/feed.xml")
        let result = try scraper.run(url)
        #expect(result.status == .code(66))
        #expect(
            result.standardError
                == "podcast-scraper: Cannot fetch '\(url)': the server answered 404 (not found). "
                + "Check the feed's address.\n")
        let file = try scraper.run("file:///etc/passwd")
        #expect(file.status == .code(66))
        #expect(
            file.standardError
                == "podcast-scraper: Cannot fetch 'file:///etc/passwd': only http and https addresses "
                + "are fetched. Check the feed's address.\n")
    }

    @Test("a redirect to a file is not followed")
    func redirectToFile() throws {
        let scraper = try Scraper()
        let server = try LoopbackServer(
            serving: scraper.site.path, faults: ["/feed.xml": .redirect(to: "file:///etc/passwd")])
        let result = try scraper.run(server.url("/feed.xml"))
        #expect(result.status == .code(66))
        #expect(result.standardError.contains("only http and https addresses are fetched"))
    }

    @Test("a feed that is no XML, or has nothing to hear: 66")
    func unusableFeeds() throws {
        let scraper = try Scraper()
        let server = try LoopbackServer(serving: scraper.site.path)
        let url = server.url("/feed.xml")
        try Files.replace(scraper.site.path + "/feed.xml", with: "no feed\n")
        let broken = try scraper.run(url)
        #expect(broken.status == .code(66))
        #expect(
            broken.standardError
                == "podcast-scraper: '\(url)' is not XML: Start tag expected, '<' not found at line 1, column 1.\n"
        )
        try scraper.publish([])
        let empty = try scraper.run(url)
        #expect(empty.status == .code(66))
        #expect(
            empty.standardError
                == "podcast-scraper: '\(url)' has 0 items, none with audio, video or a transcript.\n")
        #expect(!Files.exists(scraper.output + "/.work"))
    }

    @Test("episodes that fail are reported, the others processed, and the run ends with 4")
    func failingEpisodes() throws {
        let scraper = try Scraper()
        try scraper.addClip(as: "good.mp3")
        try scraper.addClip(as: "cut.mp3")
        try Files.replace(scraper.site.path + "/text.mp3", with: "this is no audio at all\n")
        try Files.replace(
            scraper.site.path + "/list.mp3",
            with: "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n")
        try scraper.publish([
            ("Missing", "missing.mp3"), ("Cut", "cut.mp3"), ("Text", "text.mp3"), ("Playlist", "list.mp3"),
            ("Local", "file:///etc/passwd"), ("Good", "good.mp3"),
        ])
        let server = try LoopbackServer(
            serving: scraper.site.path, faults: ["/cut.mp3": .truncated(afterBytes: 1000)])
        let result = try scraper.run(
            server.url("/feed.xml"), environment: ["PIPELINE_STATUS_FILE": scraper.output + "/s"])
        #expect(result.status == .code(4))
        let lines = result.standardError.split(separator: "\n").map(String.init)
        try #require(lines.count == 8, "\(result.standardError)")
        #expect(lines[0] == "Test: 6 of 6 episodes")
        #expect(
            lines[1]
                == "[1/6] Missing: failed in media_download: Cannot fetch '\(server.url("/missing.mp3"))': "
                + "the server answered 404 (not found).")
        #expect(
            lines[2] == "[2/6] Cut: failed in media_download: Cannot fetch '\(server.url("/cut.mp3"))': "
                + "the connection closed before the end of the body.")
        let failed = "failed in audio_preprocessing: ffmpeg exited with code"
        #expect(lines[3].hasPrefix("[3/6] Text: \(failed) "))
        #expect(lines[3].hasSuffix(": Invalid data found when processing input."))
        #expect(
            lines[4]
                == "[4/6] Playlist: failed in media_download: What '\(server.url("/list.mp3"))' gives is a playlist, "
                + "nothing to hear.")
        #expect(
            lines[5]
                == "[5/6] Local: failed in media_download: Its enclosure 'file:///etc/passwd' is not an http or "
                + "https address.")
        #expect(lines[6].hasPrefix("[6/6] Good: 7."))
        #expect(
            lines[7] == "podcast-scraper: 5 of 6 episodes failed; the reasons are above and in "
                + "'\(scraper.output)/metrics.json'.")
        let names = try Files.names(inDirectory: scraper.output + "/transcripts")
        #expect(names.count == 2 && names.allSatisfy { $0.hasPrefix("good-") })
        let episodes = try #require(
            JSONValue.parse(Array(scraper.text("metrics.json").utf8))?.object?["episodes"]?.array)
        #expect(
            episodes.map { $0.object?["failure"]?.object?["stage"]?.string } == [
                "media_download", "media_download", "audio_preprocessing", "media_download",
                "media_download", nil,
            ])
        // What was not reached is absent, not zero.
        #expect(episodes[0].object?["words"] == nil && episodes[0].object?["audio_s"] == nil)
        let status = try StatusSnapshot.parse(Files.read(scraper.output + "/s", limit: 1 << 18))
        #expect(status.stage == .done)
    }

    @Test("titles that attack paths and terminals stay harmless")
    func hostileTitles() throws {
        let scraper = try Scraper()
        try scraper.addClip(as: "a b.mp3")
        try scraper.publish([("../../../escape \u{9B}31m\u{202E}", "a%20b.mp3")])
        let server = try LoopbackServer(serving: scraper.site.path)
        let result = try scraper.run(server.url("/feed.xml"))
        #expect(result.status == .code(0), "\(result.standardError)")
        let names = try Files.names(inDirectory: scraper.output + "/transcripts")
        #expect(names.count == 2 && names.allSatisfy { $0.hasPrefix("escape-31m-") })
        #expect(
            !result.standardError.unicodeScalars.contains {
                (0x7F...0x9F).contains($0.value) || $0 == "\u{202E}"
            })
        #expect(try Files.names(inDirectory: scraper.site.path) == ["a b.mp3", "feed.xml", "out"])
    }

    @Test("silence and noise give an empty or odd transcript, not a failure")
    func noise() throws {
        let scraper = try Scraper()
        for (name, source) in [
            ("silence", "anullsrc=r=16000:d=3"), ("noise", "anoisesrc=r=16000:d=3:seed=1"),
        ] {
            let made = try runCommand([
                "ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", source,
                "\(scraper.site.path)/\(name).wav",
            ])
            #expect(made.status == .code(0), "\(made.standardError)")
        }
        try scraper.publish([("Silence", "silence.wav"), ("Noise", "noise.wav")])
        let server = try LoopbackServer(serving: scraper.site.path)
        let result = try scraper.run(server.url("/feed.xml"))
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardError.contains("[1/2] Silence: no speech was recognised in 3.0 s of audio\n"))
        for directory in ["transcripts", "summaries"] {
            let names = try Files.names(inDirectory: "\(scraper.output)/\(directory)")
            let name = try #require(names.first { $0.hasPrefix("silence-") && $0.hasSuffix(".txt") })
            #expect(try scraper.text("\(directory)/\(name)").isEmpty)
        }
    }

    @Test("without a model nothing is fetched: 66")
    func noModel() throws {
        let scraper = try Scraper()
        let result = try scraper.run("http://127.0.0.1:1/feed.xml", ["--model-dir", scraper.site.path])
        #expect(result.status == .code(66))
        #expect(
            result.standardError == "podcast-scraper: There is no speech model in '\(scraper.site.path)': "
                + "'\(scraper.site.path)/en-us/mdef' is missing. Install the Debian package pocketsphinx-en-us, or name "
                + "a model with --model-dir.\n")
        #expect(!Files.exists(scraper.output))
    }

    @Test("without ffmpeg nothing is fetched: 4")
    func noFFmpeg() throws {
        let scraper = try Scraper()
        let result = try scraper.run("http://127.0.0.1:1/feed.xml", environment: ["PATH": scraper.site.path])
        #expect(result.status == .code(4))
        #expect(
            result.standardError
                == "podcast-scraper: Cannot run 'ffmpeg': it is not in PATH. Install the Debian package ffmpeg.\n"
        )
    }

    @Test("without libcurl nothing is fetched: 4")
    func noCurl() throws {
        let scraper = try Scraper()
        let library = scraper.site.path + "/libcurl.so.4"
        try Files.replace(library, with: "")
        let result = try scraper.run(
            "http://127.0.0.1:1/feed.xml", environment: ["LD_LIBRARY_PATH": scraper.site.path])
        #expect(result.status == .code(4))
        #expect(
            result.standardError
                == "podcast-scraper: libcurl.so.4 cannot be opened (\(library): file too short). "
                + "Install the Debian package libcurl4.\n")
    }

    @Test("an observer's output directory comes before the configuration's, and after the option")
    func observersDirectory() throws {
        let scraper = try Scraper()
        let path = scraper.site.path + "/p.yaml"
        let (asked, configured) = (scraper.site.path + "/asked", scraper.site.path + "/configured")
        try Files.replace(path, with: "rss: http://127.0.0.1:1/\noutput_dir: \(configured)\n")
        let tool = BuiltProduct.path("podcast-scraper")
        let environment = ["PIPELINE_OUTPUT_DIR": asked]
        #expect(try scraper.run("http://127.0.0.1:1/", environment: environment).status == .code(66))
        #expect(Files.isDirectory(scraper.output) && !Files.exists(asked))
        #expect(try runCommand([tool, "--config", path], environment: environment).status == .code(66))
        #expect(Files.isDirectory(asked) && !Files.exists(configured))
        #expect(try runCommand([tool, "--config", path]).status == .code(66))
        #expect(Files.isDirectory(configured))
    }

    @Test("an output directory that cannot be: 73")
    func outputNotWritable() throws {
        let scraper = try Scraper()
        try Files.replace(scraper.output, with: "a file")
        let result = try scraper.run("http://127.0.0.1:1/feed.xml")
        #expect(result.status == .code(73))
        #expect(
            result.standardError
                == "podcast-scraper: Cannot create the directory '\(scraper.output)': File exists.\n")
        let proc = try runCommand([
            BuiltProduct.path("podcast-scraper"), "http://127.0.0.1:1/f", "--output-dir", "/proc/nothing",
        ])
        #expect(proc.status == .code(73))
    }

    @Test("a configuration with a misspelt key: 66")
    func misspeltKey() throws {
        let scraper = try Scraper()
        let path = scraper.site.path + "/p.yaml"
        try Files.replace(path, with: "rss: http://127.0.0.1:1/\nmodeldir: x\n")
        let result = try scraper.run("http://127.0.0.1:1/", ["--config", path])
        #expect(result.status == .code(66))
        #expect(
            result.standardError
                == "podcast-scraper: The configuration '\(path)', line 2, has the unknown key 'modeldir'; known "
                + "are \(PipelineConfiguration.keys.joined(separator: ", ")). Did you mean 'model_dir'?\n"
        )
    }

    @Test("a link in the place of the work directory is not followed, and an empty one goes")
    func staleWork() throws {
        let scraper = try Scraper()
        let precious = scraper.site.path + "/precious"
        try Files.createDirectories(precious)
        try Files.replace(precious + "/file", with: "keep")
        try Files.createDirectories(scraper.output)
        let linked = try runCommand(["ln", "-s", precious, scraper.output + "/.work"])
        try #require(linked.status == .code(0))
        #expect(try scraper.run("http://127.0.0.1:1/feed.xml").status == .code(66))
        #expect(try Files.names(inDirectory: precious) == ["file"])
        #expect(!Files.exists(scraper.output + "/.work"))
        // What a run was doing when it was killed is kept for the next.
        try Files.createDirectories(scraper.output + "/.work")
        try Files.replace(scraper.output + "/.work/one.media.part", with: "old")
        #expect(try scraper.run("http://127.0.0.1:1/feed.xml").status == .code(66))
        #expect(Files.exists(scraper.output + "/.work/one.media.part"))
    }

    @Test("wrong usage: 64")
    func usage() throws {
        let result = try runCommand([BuiltProduct.path("podcast-scraper"), "--output-dirs", "x"])
        #expect(result.status == .code(64))
        #expect(
            result.standardError
                == "podcast-scraper: There is no option '--output-dirs'. Did you mean '--output-dir'? "
                + "See 'podcast-scraper --help'.\n")
    }

    @Test(
        "a full disk ends the run with 73 and leaves no part of a file",
        .enabled(if: CurrentProcess.userID == 0))
    func diskFull() throws {
        let scraper = try Scraper()
        try scraper.addClip(as: "a.mp3")
        try scraper.publish([("One", "a.mp3")])
        try Files.createDirectories(scraper.output)
        // Room for the 47 kB download, not for the 250 kB of samples.
        let mounted = try runCommand(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", scraper.output])
        try #require(mounted.status == .code(0), "\(mounted.standardError)")
        defer { _ = try? runCommand(["umount", scraper.output]) }
        let server = try LoopbackServer(serving: scraper.site.path)
        let result = try scraper.run(server.url("/feed.xml"))
        #expect(result.status == .code(73))
        let said = result.standardError
        #expect(said.contains("podcast-scraper: Cannot write '\(scraper.output)/.work/one-"), "\(said)")
        #expect(
            said.hasSuffix(
                ".s16le': No space left on device. Free some space, or choose another --output-dir.\n"),
            "\(said)")
        #expect(try Files.names(inDirectory: scraper.output + "/transcripts").isEmpty)
        #expect(!Files.exists(scraper.output + "/metrics.json"))
    }
}
