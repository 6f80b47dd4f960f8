import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

@Suite("make install")
struct InstallTests {
    @Test("Everything has its place, works from there, and goes")
    func installed() throws {
        let installation = try Installation()
        let files = try installation.files()
        for expected in [
            "bin/freeze-profile", "bin/podcast-scraper", "bin/loopback-feed",
            "lib/freeze-profile/libinstruction-counter.so", "lib/freeze-profile/libstage-marker.so",
            "share/man/man1/freeze-profile.1",
            "share/man/man1/freeze-profile-diff.1", "share/man/man1/podcast-scraper-search.1",
            "share/man/man1/loopback-feed.1", "share/bash-completion/completions/freeze-profile",
            "share/zsh/site-functions/_freeze-profile",
            "share/fish/vendor_completions.d/podcast-scraper.fish",
            "share/freeze-profile/helpers/stages.sh", "share/freeze-profile/helpers/pipeline_status.py",
            "share/podcast-scraper/feeds/sense-and-sensibility/feed.xml",
        ] { #expect(files.contains("usr/\(expected)"), "\(expected) is missing") }
        let version = try runCommand(["\(installation.prefix)/bin/freeze-profile", "--version"])
        #expect(version.standardOutput.hasPrefix("freeze-profile "))
        // A file that `make install` did not write stays.
        try Files.replace("\(installation.prefix)/share/man/man1/other.1", with: "")
        let removal = try installation.run("uninstall")
        #expect(removal.status == .code(0), "\(removal.standardError)")
        #expect(try installation.files() == ["usr/share/man/man1/other.1"])
        #expect(!Files.exists("\(installation.prefix)/share/freeze-profile"))
        #expect(!Files.exists("\(installation.prefix)/lib/freeze-profile"))
    }

    @Test("DESTDIR stands before every path, and a component can be left out")
    func staged() throws {
        let installation = try Installation()
        let stage = try TemporaryDirectory()
        let result = try installation.run(
            "install", ["DESTDIR": stage.path, "PREFIX": "/opt/tools", "COMPONENTS": "tool"])
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(Files.isExecutable("\(stage.path)/opt/tools/bin/freeze-profile"))
        #expect(!Files.exists("\(stage.path)/opt/tools/bin/podcast-scraper"))
        #expect(!Files.exists("/opt/tools/bin/freeze-profile"))
    }

    @Test(
        "What cannot be is refused with a sentence",
        arguments: [
            (["PREFIX": "usr"], "PREFIX 'usr' is not an absolute path.", 64),
            (["COMPONENTS": "all"], "There is no component 'all'; there are tool and pipeline.", 64),
            (
                ["FREEZE_PROFILE_BIN": "/nowhere"],
                "'/nowhere/freeze-profile' is not there. Build it first: make build", 66
            ),
        ] as [([String: String], String, Int32)])
    func refused(variables: [String: String], sentence: String, code: Int32) throws {
        let installation = try Installation()
        let result = try installation.run("install", variables)
        #expect(result.status == .code(code))
        #expect(result.standardError == "install-files: \(sentence)\n")
    }
}
