import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileComparison
import ProfileReport
import ProfileStore
import TestSupport
import Testing

@Suite("history")
struct HistoryCommandTests {
    private func run(_ arguments: [String], in directory: String) throws -> CommandResult {
        try runCommand(
            [BuiltProduct.path("freeze-profile"), "history"] + arguments + ["--profiles", directory],
            environment: ["LC_ALL": "C.UTF-8"])
    }

    @Test("Profiles are read in part, unreadable ones reported, the trend printed, drawn and given as JSON")
    func command() throws {
        let directory = try TemporaryDirectory()
        for number in 0..<4 {
            var archives = Archives.older
            archives.hasStacks = false
            archives.seconds["decode"] = 1 + 0.1 * Double(number)
            try archives.freeze(
                "v1.\(number).0", date: "2026-0\(number + 1)-10T14:20:00Z", in: directory.path)
        }
        try Files.replace("\(directory.path)/broken.yaml", with: "release: [")
        let overview = try run([], in: directory.path)
        #expect(overview.status == .code(0))
        #expect(
            overview.standardError.contains(
                "Left out: '\(directory.path)/broken.yaml' is not a frozen profile."))
        #expect(overview.standardOutput.contains("wall s of 4 versions, v1.0.0 to v1.3.0"))
        #expect(overview.standardOutput.contains("▁▃▆█"), "\(overview.standardOutput)")
        let detail = try run(
            ["transcription", "--metric", "cpu", "--svg", "\(directory.path)/a.svg"], in: directory.path)
        #expect(detail.standardOutput.contains("2026-04-10  v1.3.0"), "\(detail.standardOutput)")
        let picture = String(
            decoding: try Files.read("\(directory.path)/a.svg", limit: 1 << 20), as: UTF8.self)
        #expect(picture.contains("class=\"whisker\""))
        let check = try runCommand(
            [
                "python3", "-c", "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])",
                "\(directory.path)/a.svg",
            ])
        #expect(check.status == .code(0), "\(check.standardError)")
        let json = try run(["--json"], in: directory.path)
        let count = try runCommand([
            "python3", "-c",
            "import sys, json; d = json.loads(sys.argv[1]); print(len(d['trends']), d['trends'][1]['versions'][3]['value'])",
            json.standardOutput,
        ])
        #expect(count.standardOutput.hasPrefix("2 5.8"), "\(count.standardOutput)\(count.standardError)")
    }

    @Test("What is not there is said, and the nearest name suggested")
    func refusals() throws {
        let directory = try TemporaryDirectory()
        let empty = try run([], in: directory.path)
        #expect(empty.status == .code(66))
        #expect(empty.standardError.contains("There is no profile in '\(directory.path)' that can be read."))
        try Archives.older.freeze("v1.0.0", date: "2026-01-10T14:20:00Z", in: directory.path)
        let stage = try run(["transcripton"], in: directory.path)
        #expect(stage.status == .code(64))
        #expect(
            stage.standardError.contains(
                "No version has a stage 'transcripton'. Did you mean 'transcription'?"))
        let metric = try run(["--metric", "money"], in: directory.path)
        #expect(
            metric.standardError.contains(
                "--metric cannot be 'money'; there are wall, cpu, rss, cpu-percent, instructions, system-calls."
            ))
    }

    @Test("A summary is what the whole file says, without its sessions")
    func summaries() throws {
        let directory = try TemporaryDirectory()
        try Archives.newer.freeze("v1.2.0", date: "2026-01-10T14:20:00Z", in: directory.path)
        let path = "\(directory.path)/v1.2.0.yaml"
        var whole = try ProfileStore.load(path: path)
        #expect(!whole.sessions.isEmpty)
        whole.sessions = []
        #expect(try ProfileStore.loadSummary(path: path) == whole)
        // Sessions elsewhere than at the end: the beginning alone is no profile, so the whole file is read.
        let text = String(decoding: try Files.read(path, limit: 1 << 24), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.hasPrefix("sessions:") })
        try Files.replace(
            path, with: (lines[start...].dropLast() + lines[..<start]).joined(separator: "\n") + "\n")
        #expect(try ProfileStore.loadSummary(path: path).totals == whole.totals)
    }

    @Test("A picture escapes names, and is drawn for any number of versions")
    func hostilePicture() {
        let points = ["<script>", "v2\u{1B}"].map {
            History.Point(release: $0, date: "2026", value: .value(1), interval: nil)
        }
        for count in [0, 1, 2] {
            let trend = History.Trend(
                stage: StageName("<b>"), metric: .wall, points: Array(points.prefix(count)))
            let text = String(decoding: HistorySVG.render([trend], title: "<i>"), as: UTF8.self)
            #expect(
                !text.contains("<script>") && !text.contains("<b>") && !text.contains("<i>")
                    && !text.contains("\u{1B}"))
        }
    }
}
