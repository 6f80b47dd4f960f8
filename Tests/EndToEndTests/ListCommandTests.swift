import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

@Suite("Listing frozen versions")
struct ListCommandTests {
    private static let older = """
        release: v0.9
        date: '2025-04-10T09:24:33Z'
        dataset_id: e2e
        episodes_processed: 2
        environment: {cpu: arm, cpu_cores_logical: 14, ram_total_gb: 48.0}
        stages: {}
        totals: {peak_rss_mb: 7159, wall_time_s: 111.9925}
        """

    /// Five good runs of two sessions, a fresh one, a dirty one with a disturbed run, an older file.
    private func shelf() throws -> Shelf {
        let shelf = try Shelf()
        try shelf.add("v1.10.0", date: "2026-03-01T00:00:00Z") { profile in
            for index in profile.sessions[0].runs.indices {
                profile.sessions[0].runs[index].use.wallSeconds = .value(8.5)
                // Stages take no longer than their run.
                for stage in profile.sessions[0].runs[index].stages.indices {
                    profile.sessions[0].runs[index].stages[stage].use.wallSeconds = .value(2)
                    profile.sessions[0].runs[index].stages[stage].use.cpuSeconds = .value(0.25)
                }
                profile.sessions[0].runs[index].exit = .value(0)
            }
            profile.sessions[0].runs += profile.sessions[0].runs.filter { $0.kind == .measured }
            let summary = FrozenProfile.derive(
                from: profile.sessions, episodesProcessed: profile.episodesProcessed)
            profile.stages = summary.stages
            profile.totals = summary.totals
        }
        try shelf.add("v1.9.0", date: "2026-03-01T00:00:00Z") { profile in
            profile.environment.identity[.gitDirty] = .value(.bool(true))
            profile.environment.identity[.architecture] = .value(.text("x86_64"))
            profile.sessions[0].runs[1].disturbance = "other processes took 40.0 % of the CPU time"
        }
        try Files.replace("\(shelf.directory.path)/v0.9.yaml", with: Self.older)
        return shelf
    }

    @Test("The table has a line per version, oldest first")
    func table() throws {
        let shelf = try shelf()
        let result = try shelf.run("list")
        #expect(result.status == .code(0), "\(result.standardError)")
        let lines = result.standardOutput.split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        #expect(lines[0].split(separator: " ").first == "version")
        #expect(lines[1].contains("v0.9     2025-04-10  arm 14cpu 48gb "))
        #expect(lines[1].contains("  111.99     7159     -  one run"))
        #expect(lines[2].contains("v1.9.0   2026-03-01  x86_64 1.50cpu 8gb ") && lines[2].contains("  dirty"))
        let verified = try shelf.run("verify", "v1.10.0").standardOutput
        #expect(lines[3].contains("  8.50      300     8  good"), "\(verified)")
        let cells = try ProfileCatalogue(shelf.store).entries.map(\.quality)
        #expect(cells[0] == ["one run, shares guessed"])
        #expect(cells[1].prefix(3) == ["dirty", "1 disturbed", "few runs"])
        #expect(cells[2] == ["good"])
    }

    @Test("Long names are cut, and nothing is wider than asked")
    func narrow() throws {
        let shelf = try Shelf()
        try shelf.add(String(repeating: "v", count: 128))
        try shelf.add("v1", date: "2027-01-01T00:00:00Z") { profile in
            profile.environment.identity[.architecture] = .value(
                .text(String(repeating: "a\u{1B}[2J", count: 40)))
        }
        for width in [72, 80, 200] {
            let table = try ProfileCatalogue(shelf.store).table(width: width)
            #expect(table.split(separator: "\n").allSatisfy { $0.count <= width })
            #expect(!table.contains("\u{1B}"))
        }
    }

    @Test("Python reads the JSON and finds the values of the files")
    func json() throws {
        let shelf = try shelf()
        let result = try shelf.run("list", "--json")
        #expect(result.status == .code(0))
        let file = "\(shelf.directory.path)/list.json"
        try Files.replace(file, with: result.standardOutput)
        let script = """
            import json, sys, yaml
            d = json.load(open(sys.argv[1]))
            assert d["schema_version"] == 1, d
            assert [p["version"] for p in d["profiles"]] == ["v0.9", "v1.9.0", "v1.10.0"], d
            for p in d["profiles"]:
                y = yaml.safe_load(open(f"{sys.argv[2]}/{p['version']}.yaml"))
                assert p["wall_time_s"] == y["totals"]["wall_time_s"], p
                assert p["peak_rss_mb"] == y["totals"]["peak_rss_mb"], p
                assert p["date"] == y["date"] and p["runs"] == y["totals"].get("runs"), p
                assert p["sessions"] == len(y.get("sessions", [])), p
            assert d["profiles"][2]["quality"] == ["good"] and d["profiles"][2]["damage"] == []
            """
        let python = try runCommand(["python3", "-c", script, file, shelf.directory.path])
        #expect(python.status == .code(0), "\(python.standardError)")
    }

    @Test("A file that cannot be read gets a line of its own, a message, and an exit code")
    func unreadable() throws {
        let shelf = try shelf()
        try Files.replace("\(shelf.directory.path)/broken.yaml", with: "release: [")
        try Files.replace("\(shelf.directory.path)/v1.9.0.monitor.log", with: "edited")
        let result = try shelf.run("list")
        #expect(result.status == .code(66))
        #expect(result.standardOutput.split(separator: "\n").count == 5)
        #expect(result.standardOutput.contains("broken   -           unknown"))
        #expect(
            result.standardError.contains(
                "broken: '\(shelf.directory.path)/broken.yaml' is not a frozen profile."))
        #expect(
            result.standardError.contains(
                "v1.9.0: \(shelf.directory.path)/v1.9.0.monitor.log: the profile says 16 bytes, there is 6 bytes"
            ))
        #expect(result.standardOutput.contains("  damaged, "))
    }

    @Test("A page's table is kept between its marks, and the rest of the page stays")
    func readme() throws {
        let shelf = try shelf()
        let page = "\(shelf.directory.path)/README.md"
        let head = "# Mine\n\nText with | and <!-- a comment -->.\n\n\(MarkedSection.begin)\n"
        let tail = "\(MarkedSection.end)\n\nMore text\u{2028}, no newline at the end"
        try Files.replace(page, with: head + "old\n" + tail)
        #expect(try shelf.run("list", "--update-readme", page).status == .code(0))
        let text = try shelf.text("README.md")
        #expect(text.hasPrefix(head + "\n| version | date |"))
        #expect(text.hasSuffix("\n\n" + tail))
        let markdown = try shelf.run("list", "--markdown").standardOutput
        #expect(text == head + "\n" + markdown + "\n" + tail)
        #expect(markdown.contains("| v1.10.0 | 2026-03-01 |"))
        #expect(try shelf.run("list", "--update-readme", page).status == .code(0))
        #expect(try shelf.text("README.md") == text)
    }

    @Test(
        "A page without its marks is refused and stays",
        arguments: [
            "", MarkedSection.begin, "\(MarkedSection.end)\n\(MarkedSection.begin)",
            "\(MarkedSection.begin)\(MarkedSection.begin)\(MarkedSection.end)",
        ])
    func unmarked(content: String) throws {
        let shelf = try Shelf()
        let page = "\(shelf.directory.path)/README.md"
        try Files.replace(page, with: content)
        let result = try shelf.run("list", "--update-readme", page)
        #expect(result.status == .code(66))
        #expect(result.standardError.contains("'\(page)' does not have the two lines"))
        #expect(try shelf.text("README.md") == content)
    }

    @Test("What a file says cannot break out of the table's Markdown")
    func markdown() throws {
        let shelf = try Shelf()
        try shelf.add("v1_a") { profile in
            profile.environment.identity[.architecture] = .value(.text("a|b`<img src=x>\n| c"))
        }
        let rows = try ProfileCatalogue(shelf.store).markdown.split(separator: "\n")
        #expect(rows.count == 3)
        #expect(rows[2].hasPrefix("| v1\\_a | 2026-02-10 | a\\|b\\`\\<img src=x\\>"))
    }

    @Test("References and the archive have lists of their own; wrong usage is reported")
    func places() throws {
        let shelf = try Shelf()
        try shelf.add("v1", date: "2026-01-01T00:00:00Z")
        try shelf.add("v2", date: "2026-02-01T00:00:00Z")
        #expect(try shelf.run("promote", "v1", "r1", "--reason", "x").status == .code(0))
        #expect(try shelf.run("archive", "v1").status == .code(0))
        #expect(try shelf.run("list", "--references").standardOutput.contains("\nr1 "))
        #expect(try shelf.run("list", "--archive").standardOutput.contains("\nv1 "))
        #expect(try shelf.run("list").standardOutput.contains("\nv2 "))
        #expect(try shelf.run("list", "--references", "--archive").status == .code(64))
        #expect(try shelf.run("list", "--json", "--markdown").status == .code(64))
        let empty = try TemporaryDirectory()
        let nothing = try runCommand([
            BuiltProduct.path("freeze-profile"), "list", "--profiles", empty.path,
        ])
        #expect(nothing.status == .code(0))
        #expect(nothing.standardOutput == "")
        #expect(nothing.standardError == "There is no profile in '\(empty.path)'.\n")
        let nowhere = try runCommand([BuiltProduct.path("freeze-profile"), "list", "--profiles", "/nowhere"])
        #expect(nowhere.status == .code(66))
    }
}
