import LinuxProcess
import LinuxSystem
import LiveMonitor
import Measurement
import Stages
import TestSupport
import Testing

/// Real pipelines under a real monitor. One at a time: they are timed.
@Suite("A monitored run", .serialized)
struct MonitoredRunTests {
    @Test("A pipeline of the library: every stage, however short, with its time, CPU time and peak")
    func library() throws {
        let run = try ProbeRun.pipeline([
            "idle:sleep=300", "busy:spin=500", "big:allocate=64", "blink:sleep=1", "left|right:sleep=200",
            "kid:child=300",
        ])
        let report = try run.report()
        #expect(
            report.stages.map(\.name.text) == ["idle", "busy", "big", "blink", "left", "right", "kid"])
        #expect(report.stages.allSatisfy { $0.source == .eventTrace && $0.entered == 1 })
        let idle = try report.stage("idle")
        // The machine may let it sleep longer, never shorter.
        #expect(idle.wallSeconds >= 0.3 && idle.wallSeconds < 0.4)
        #expect(idle.cpuSeconds < 0.02)
        #expect(isNear(try report.stage("busy").cpuSeconds, 0.5, share: 0.1, amount: 0.02))
        #expect(try report.stage("blink").wallSeconds >= 0.001)
        #expect(try report.stage("left").isShared && report.stage("right").isShared && !idle.isShared)
        let kid = try report.stage("kid").cpuSeconds
        #expect(isNear(kid, 0.3, share: 0.1, amount: 0.05))
        let growth = try report.stage("big").peakMebibytes - report.stage("busy").peakMebibytes
        #expect(isNear(growth, 64, share: 0.05, amount: 1))
        #expect(try report.stage("big").peakMethod == .highWaterMark)
        // The mark was reset: the stage after the big one does not inherit its peak.
        #expect(try report.stage("left").peakMebibytes < 40)
        #expect(report.exit == .value(.code(0)))
        #expect(report.transitions.count == 14)
        let attributed = ["idle", "busy", "big", "blink", "left", "kid"]
        let sum = try attributed.reduce(0) { try $0 + report.stage($1).wallSeconds }
        let total = try #require(report.totals.wall.value?.inSeconds)
        let unattributed = try #require(report.unattributed.value?.inSeconds)
        #expect(isNear(sum + unattributed, total, share: 0.02, amount: 0.02))
    }

    @Test("A pipeline that writes the six plain fields agrees with its own clocks")
    func plainPython() throws {
        let run = try ProbeRun.python([
            "first:sleep=300", "busy:spin=500", "big:allocate=64", "short:sleep=50", "kid:child=300",
        ])
        let report = try run.report()
        let oracle = try run.oracle()
        #expect(report.stages.map(\.name.text) == ["first", "busy", "big", "short", "kid"])
        for stage in report.stages {
            let own = try #require(oracle[stage.name.text])
            #expect(isNear(stage.wallSeconds, own.wall, share: 0.05, amount: 0.02), "\(stage)")
            #expect(isNear(stage.cpuSeconds, own.cpu, share: 0.1, amount: 0.03), "\(stage)")
            #expect(stage.source == .statusFile)
        }
        let growth = try report.stage("big").peakMebibytes - report.stage("first").peakMebibytes
        #expect(isNear(growth, 64, share: 0.05, amount: 1.5))
        #expect(try report.stage("short").peakMebibytes < 40)
    }

    @Test("A pipeline that is killed leaves its last stage and the signal, in report and log")
    func killed() throws {
        let run = try ProbeRun.python(["first:sleep=50", "last:sleep=100", "last:die=9"])
        let report = try run.report()
        #expect(report.exit == .value(.signal(9)))
        #expect(report.lastStages.map(\.text) == ["last"])
        #expect(try run.logLines().last == "pipeline_exited=1 signal=9 last_stage=last")
        #expect(
            run.result.standardError.contains(
                "Pipeline process was ended by signal 9 (Killed). Last stage: last."))
    }

    @Test("A pipeline that monitors itself and crashes: the monitor finds the exit code and leaves")
    func selfCrash() throws {
        let run = try ProbeRun(["self", "STATUS", "first:sleep=100", "second:crash=3"])
        #expect(run.result.status == .code(3))
        var lines = try run.logLines()
        // The monitor outlives the pipeline by a moment.
        for _ in 0..<100 where lines.last?.hasPrefix("pipeline_exited") != true {
            SystemClock.sleep(for: .milliseconds(50))
            lines = try run.logLines()
        }
        // Linux reports the exit code of another process's child from 6.15 on, and until it was waited for.
        let last = try #require(lines.last)
        #expect(last == "pipeline_exited=1 exit_code=3 last_stage=second" || last.hasPrefix("  stage=second"))
        #expect(lines.contains { $0.hasPrefix("  stage=first ") })
    }

    @Test("A pipeline that monitors itself counts neither the monitor nor its descendants")
    func selfMonitoring() throws {
        let run = try ProbeRun(["self", "--interval-ms=10", "STATUS", "first:sleep=400", "kid:child=200"])
        let report = try run.report()
        #expect(try report.stage("first").cpuSeconds < 0.05)
        #expect(report.exit.unavailableReason == "the pipeline had not ended when the monitor did")
        #expect(report.ticks > 20)
    }

    @Test("Five thousand stages in a burst are all counted, and the monitor does not run after each")
    func burst() throws {
        let run = try ProbeRun.pipeline(["burst:many=5000"], options: ["--quiet"])
        let report = try run.report()
        #expect(try report.stage("burst").entered == 5000)
        #expect(report.transitions.count == 10_000)
        #expect(report.ticks < 5000)
    }

    @Test("A plain pipeline's transitions of two milliseconds arrive; what came too fast is said")
    func flips() throws {
        let run = try ProbeRun.python(["s:flip=100"], options: ["--quiet"])
        let report = try run.report()
        let entered = report.stages.reduce(0) { $0 + $1.entered }
        #expect(entered <= 100)
        #expect(entered == 100 || report.notes.contains { $0.contains("faster than it could be read") })
        // Unhurried as they are, all but a few are seen also on a busy machine.
        #expect(entered > 50)
    }

    @Test("A monitor that is killed disturbs neither the command nor its parent")
    func monitorKilled() throws {
        let run = try ProbeRun.run([
            "sh", "-c", "kill -9 $MONITOR_PID; sleep 0.2; echo done > \"$PIPELINE_STATUS_FILE.end\"; exit 5",
        ])
        #expect(run.result.status == .code(0))
        #expect(Files.exists(run.statusFile + ".end"))
        #expect(run.result.standardOutput.contains("\"command\": \"exited with code 5\""))
        #expect(
            run.result.standardOutput.contains(
                "The monitor was ended by signal 9 (Killed) before the run was over"))
    }

    @Test("A monitor asked to end writes its summary first")
    func monitorTerminated() throws {
        let run = try ProbeRun.run(["sh", "-c", "sleep 0.2; kill $MONITOR_PID; sleep 0.3"])
        #expect(try run.logLines().contains("# summary"))
        #expect(run.result.standardOutput.contains("exited with code 0 before the run was over"))
    }

    @Test("Ctrl-C is for the pipeline to decide: the monitor goes on")
    func interrupt() throws {
        let run = try ProbeRun.run(["sh", "-c", "kill -INT $MONITOR_PID; sleep 0.2"])
        #expect(try run.report().exit == .value(.code(0)))
    }

    @Test("A status file of an earlier run in the same directory is not this run's")
    func stale() throws {
        let directory = try TemporaryDirectory()
        let status = directory.path + "/.pipeline_status.json"
        let old = #"{"pid": 1, "stage": "old", "started_at": 1770000000, "stage_started_at": 1770000001}"#
        try Files.replace(status, with: old)
        try Files.replace(
            directory.path + "/.pipeline_events.jsonl",
            with: #"{"event":"begin","stage":"older","monotonic_ns":1}"# + "\n")
        let result = try runCommand([
            BuiltProduct.path("monitor-probe"), "run", "--quiet", status, "--",
            BuiltProduct.path("monitor-probe"), "pipeline", status, "new:sleep=50",
        ])
        let report = try #require(MonitorReport.parse(Array(result.standardOutput.utf8)))
        #expect(report.stages.map(\.name.text) == ["new"])
    }

    @Test("A run without any stage says so, and still has its totals")
    func noStages() throws {
        let run = try ProbeRun.run(["sleep", "0.3"])
        let report = try run.report()
        #expect(report.stages.isEmpty)
        let note = try #require(report.notes.first)
        #expect(
            note.hasPrefix("No stage was seen. '/")
                && note.contains("/.pipeline_status.json' was not written"))
        let wall = try #require(report.totals.wall.value?.inSeconds)
        #expect(wall >= 0.3 && wall < 1)
        #expect(report.unattributed.value?.inSeconds == wall)
    }

    @Test(
        "The memory of a command's parent, of which it is a copy until exec, is not counted as the command's")
    func copyOfParent() throws {
        let run = try ProbeRun(["run", "--ballast-mib=200", "STATUS", "--", "sleep", "0.3"])
        let peak = try #require(run.report().totals.peakResident.value)
        #expect(peak < .mebibytes(50))
    }

    @Test("Children that come and go at every tick are each counted once")
    func manyChildren() throws {
        let run = try ProbeRun.python(
            (0..<40).map { "s\($0 % 2):child=20" }, options: ["--interval-ms=10", "--quiet"])
        let report = try run.report()
        let own = try run.oracleTotal()
        let total = try #require(report.totals.cpu.value?.inSeconds)
        // The interpreter's own start is not in its account.
        #expect(total >= own * 0.95 && total <= own * 1.05 + 0.1, "\(total) \(own)")
    }

    @Test("A peak after the monitor's last look is still in the total")
    func latePeak() throws {
        let script = "import time; time.sleep(0.2); b = bytearray(150 << 20)"
        let run = try ProbeRun.run(
            ["/usr/bin/python3", "-S", "-c", script], options: ["--interval-ms=100000"])
        let peak = try #require(run.report().totals.peakResident.value)
        #expect(peak > .mebibytes(150) && peak < .mebibytes(170))
    }

    @Test("A process that is not there is refused")
    func nobody() throws {
        let run = try ProbeRun(["run", "STATUS", "--", "no-such-program-here"])
        #expect(run.result.status == .code(70))
        #expect(run.result.standardOutput.contains("there is no such program"))
    }
}
