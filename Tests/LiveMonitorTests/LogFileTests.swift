import LinuxProcess
import LinuxSystem
import LiveMonitor
import Measurement
import TestSupport
import Testing

@Suite("The log of a run", .serialized)
struct LogFileTests {
    @Test("Every line has the form that its readers expect")
    func format() throws {
        let run = try ProbeRun.python(
            ["first:sleep=100", "two words:spin=100", "kid:child=100"], options: ["--name=podcast_scraper"])
        let lines = try run.logLines()
        let time = #"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"#
        let header = try Regex(
            "# podcast_scraper monitor \\(stderr is not a terminal; append log\\) session_start=\(time)Z")
        #expect(try header.wholeMatch(in: lines[0]) != nil)
        let number = #"(\d+\.\d+|unavailable)"#
        let tick = try Regex(
            "\(time)\\.\\d{3}Z pid=\\d+ stage=(\"[^\"]+\"|\\S+)( episodes=\\d+/\\d+)? rss_mb=\(number) "
                + "peak_rss_mb=\(number) cpu_pct=\(number) elapsed_s=\(number) stage_elapsed_s=\(number)")
        let summary = try #require(lines.firstIndex(of: "# summary"))
        #expect(summary > 4)
        for line in lines[1..<summary] { #expect(try tick.wholeMatch(in: line) != nil, "\(line)") }
        let count = #"(\d+|unavailable)"#
        let usage =
            " disk_read_mb=\(number) disk_written_mb=\(number) major_faults=\(count) voluntary_switches=\(count) "
            + "involuntary_switches=\(count) run_queue_wait_s=\(number) pss_mb=\(number)( instructions=\\d+)? minor_faults=\(count)"
        let total = try Regex(
            "total_wall_s=\(number) peak_rss_mb=\(number) avg_cpu_pct=\(number) cpu_s=\(number) "
                + "unattributed_s=\(number)\(usage)")
        #expect(try total.wholeMatch(in: lines[summary + 1]) != nil, "\(lines[summary + 1])")
        let stage = try Regex(
            "  stage=(\"[^\"]+\"|\\S+) wall_s=\(number) peak_mb=\(number) avg_cpu=\(number) "
                + "cpu_s=\(number) entered=\\d+\(usage)")
        let stages = lines[(summary + 2)..<(lines.count - 1)]
        #expect(stages.count == 3)
        for line in stages { #expect(try stage.wholeMatch(in: line) != nil, "\(line)") }
        #expect(lines[summary + 3].hasPrefix("  stage=\"two words\" "))
        #expect(lines.last == "pipeline_exited=1 exit_code=0")
        let report = try run.report()
        let size = try Files.size(run.directory.path + "/out/.monitor.log")
        #expect(report.log?.lines == lines.count)
        #expect(report.log?.bytes == size)
        #expect(report.log?.lost == 0)
        #expect(report.ticks == summary - 1)
    }

    @Test("A second session is appended, and the variable that forces the log is given as the reason")
    func appended() throws {
        let first = try ProbeRun(
            ["run", "STATUS", "--", "sleep", "0.05"], environment: ["PODCAST_SCRAPER_MONITOR_FILE_LOG": "YES"]
        )
        let again = try runCommand(
            [BuiltProduct.path("monitor-probe"), "run", first.statusFile, "--", "sleep", "0.05"],
            environment: ["PODCAST_SCRAPER_MONITOR_FILE_LOG": "0"])
        #expect(again.status == .code(0))
        let headers = try first.logLines().filter { $0.hasPrefix("# probe") }
        #expect(headers.count == 2)
        #expect(headers.first?.contains("(forced by PODCAST_SCRAPER_MONITOR_FILE_LOG; append log)") == true)
        #expect(headers.last?.contains("(stderr is not a terminal; append log)") == true)
    }

    @Test("A log that is a link is not followed; the run goes on and the loss is counted and said once")
    func link() throws {
        let directory = try TemporaryDirectory()
        let status = directory.path + "/.pipeline_status.json"
        try Files.replace(directory.path + "/victim", with: "")
        _ = try runCommand(["ln", "-s", "victim", directory.path + "/.monitor.log"])
        let result = try runCommand([
            BuiltProduct.path("monitor-probe"), "run", status, "--", "sleep", "0.1",
        ])
        let report = try #require(MonitorReport.parse(Array(result.standardOutput.utf8)))
        #expect(try Files.size(directory.path + "/victim") == 0)
        #expect(report.log?.lines == 0 && (report.log?.lost ?? 0) > 2)
        #expect(report.notes.contains { $0.contains("is incomplete. Cannot open") })
        let told = result.standardError.split(separator: "\n").filter { $0.contains("is incomplete") }
        #expect((1...2).contains(told.count))
    }

    @Test("A directory that the pipeline makes itself is left to it, and the log still has everything")
    func lateDirectory() throws {
        let directory = try TemporaryDirectory()
        let status = directory.path + "/made/late/.pipeline_status.json"
        let result = try runCommand([
            BuiltProduct.path("monitor-probe"), "run", "--interval-ms=20", status, "--", "sh", "-c",
            "sleep 0.2; mkdir \"\(directory.path)/made\" && mkdir \"\(directory.path)/made/late\"",
        ])
        let report = try #require(MonitorReport.parse(Array(result.standardOutput.utf8)))
        // mkdir without -p fails when the monitor has made the directory.
        #expect(report.exit == .value(.code(0)))
        #expect(report.log?.lost == 0 && (report.log?.lines ?? 0) > 5)
    }

    @Test(
        "A full disk costs lines, not the run",
        .enabled(if: CurrentProcess.userID == 0, "only root mounts a disk"))
    func fullDisk() throws {
        let directory = try TemporaryDirectory()
        let status = directory.path + "/.pipeline_status.json"
        let disk = directory.path + "/disk"
        try Files.createDirectories(disk)
        let mounted = try runCommand(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk])
        try #require(mounted.status == .code(0), "\(mounted.standardError)")
        let filled = try runCommand(["sh", "-c", "head -c 64k /dev/zero > '\(disk)/filler'; true"])
        #expect(filled.status == .code(0))
        let result = try runCommand([
            BuiltProduct.path("monitor-probe"), "run", "--log=\(disk)/monitor.log", status, "--", "sleep",
            "0.1",
        ])
        let unmounted = try runCommand(["umount", "-l", disk])
        #expect(unmounted.status == .code(0), "\(unmounted.standardError)")
        let report = try #require(MonitorReport.parse(Array(result.standardOutput.utf8)))
        #expect(report.exit == .value(.code(0)))
        #expect(report.notes.contains { $0.contains("No space left on device") })
        #expect((report.log?.lost ?? 0) > 0)
    }

    @Test("The report file is whole and says the same as the report to the parent")
    func reportFile() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/new/report.json"
        let result = try runCommand([
            BuiltProduct.path("monitor-probe"), "run", "--quiet", "--report=\(path)",
            directory.path + "/.pipeline_status.json", "--", "true",
        ])
        let file = try #require(MonitorReport.parse(try Files.read(path, limit: 1 << 20)))
        #expect(file == MonitorReport.parse(Array(result.standardOutput.utf8)))
        #expect(try Files.names(inDirectory: directory.path + "/new") == ["report.json"])
    }
}
