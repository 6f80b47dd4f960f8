import Foundation
import LinuxProcess
import LinuxSystem
import Measurement
import TestSupport
import Testing

@Suite(
    "Runs over several nodes",
    .enabled(if: SlurmTestbed.isInstalled, Comment(rawValue: SlurmTestbed.notInstalled)))
struct SlurmJobTests {
    @Test(
        "A pipeline of two steps on three nodes, whose clocks are hours apart, is one run: walls within 5 ms and CPU time within 1 % of what its steps measured themselves"
    )
    func twoSteps() throws {
        let rig = try JobRig(nodes: 3, ahead: ["n2": 3600, "n3": -200])
        let job = try rig.submit(
            """
            srun -N2 -n2 -w n1,n2 \(rig.task) fetch 1.5 0.4
            srun -N1 -n1 -w n3 \(rig.task) crunch 1.2
            """, nodes: 3)
        let result = try rig.monitor(job)
        try #require(result.status == .code(0), "\(result.standardError)")
        let run = try rig.run(result.standardOutput)
        let oracle = try rig.oracle()
        #expect(oracle.keys.sorted() == ["crunch", "fetch"])
        for stage in run.report.stages {
            let truth = try #require(oracle[stage.stage])
            print(
                "\(stage.stage): wall \(stage.wallS) s, oracle \(truth.wall) s; CPU \(stage.cpuS) s, oracle \(truth.cpu) s"
            )
            #expect(abs(stage.wallS - truth.wall) < 0.005)
            #expect(abs(stage.cpuS - truth.cpu) < 0.01 * truth.cpu)
        }
        let fetch = try #require(run.report.stages.first)
        // Both tasks were at work in it at once: the union is shorter than the sum.
        #expect(fetch.stage == "fetch" && fetch.entered == 2 && fetch.workS > fetch.wallS + 0.5)
        #expect(run.nodes.map(\.node) == ["n1", "n2", "n3"])
        for (node, ahead) in zip(run.nodes, [0.0, 3600, -200]) {
            let bound = try #require(node.clockBoundS)
            // The script says by how much each clock is ahead, so the bound can be held against the truth.
            let measured = try #require(node.clockAheadS)
            #expect(abs(measured - ahead) <= bound && bound < 0.01, "\(node)")
        }
        #expect(run.clockBoundS.map { $0 < 0.01 } ?? false)
        #expect(Set(run.report.transitions.map(\.node)) == ["n1", "n2", "n3"])
        let cpu = run.nodes.reduce(0) { $0 + $1.cpuS }
        #expect(abs(run.report.totals.cpuS - cpu) < 1e-5)
        #expect(run.report.totals.peakRssBytes == run.nodes.map(\.peakRssBytes).max())
    }

    @Test("Tasks of an array are one run too, and what a capture's command starts on nodes is in its record")
    func arrayInACapture() throws {
        let rig = try JobRig(nodes: 2, ahead: ["n2": 7200])
        let output = "\(rig.path)/out"
        try Files.replace(
            "\(rig.path)/array.sh", with: "#!/bin/sh\nexec \(rig.task) crunch 1\n")
        let records = "\(rig.path)/records"
        let result = try rig.call([
            BuiltProduct.path("freeze-profile"), "capture", "--version", "v1", "--output",
            "\(rig.path)/v1.yaml", "--records", records, "--runs", "1", "--skip-warmup", "--stack-runs", "0",
            "--canaries", "0", "--output-dir", output, "--",
            "sbatch", "--wait", "--array=1-2", "--exclusive", "--output=/dev/null", "\(rig.path)/array.sh",
        ])
        try #require(result.status == .code(0), "\(result.standardError)")
        let record = try JobRig.decoder.decode(
            JobRig.Record.self, from: Data(try Files.read("\(records)/s1/001-measured.json", limit: 1 << 24)))
        #expect(record.nodes.values.reduce(0) { $0 + $1.tasks } == 2)
        #expect(record.nodes["n1"]?.tasks == 1 && record.nodes["n2"]?.tasks == 1)
        let truth = try #require(try rig.oracle()["crunch"])
        let stage = try #require(record.stages.first { $0.stage == "crunch" })
        #expect(abs(stage.wallS - truth.wall) < 0.005 && abs(stage.cpuS - truth.cpu) < 0.01 * truth.cpu)
        // The command itself only waited: nearly all CPU time is that of the tasks.
        #expect(record.totals.cpuS > truth.cpu && record.totals.wallS > stage.wallS)
        let verified = try rig.call([BuiltProduct.path("freeze-profile"), "verify", "\(rig.path)/v1.yaml"])
        #expect(verified.status == .code(0), "\(verified.standardOutput)\(verified.standardError)")
    }

    @Test("A task that is lost with its node is named, and what the run used is not known then, never less")
    func lostTask() throws {
        let rig = try JobRig(nodes: 2)
        let job = try rig.submit(
            """
            srun --no-kill -N2 -n2 sh -c 'if [ $SLURM_PROCID = 1 ]; then set -- fetch 600; else set -- fetch 1; fi
            exec \(rig.task) "$@"'
            """, nodes: 2, options: ["--no-kill", "--no-requeue"])
        let monitor = try rig.start(job)
        try monitor.waitUntil("n2 fetch")
        try rig.slurm.order("stop n2")
        // The monitor cannot know whether its account is only late; Ctrl-C ends the wait for it.
        try monitor.waitUntil("has ended: 1 of 2 tasks have ended")
        monitor.interrupt()
        let ending = try monitor.end(within: .seconds(200))
        let said = try monitor.said()
        #expect(ending == .code(0), "\(said)")
        #expect(said.contains("task \(job).0.1 on n2 left no account"), "\(said)")
        let printed = try monitor.printed()
        #expect(printed.contains("unavailable"), "\(printed)")
    }

    @Test(
        "Slurm's own figures stand beside ours and agree",
        .enabled(if: SlurmTestbed.hasAccounting, Comment(rawValue: SlurmTestbed.noAccounting)))
    func accounting() throws {
        let rig = try JobRig(nodes: 1, accounting: true)
        let job = try rig.submit("srun -n1 \(rig.task) crunch 2", nodes: 1)
        let result = try rig.monitor(job)
        try #require(result.status == .code(0), "\(result.standardError)")
        let step = try #require(try rig.run(result.standardOutput).steps.first)
        #expect(step.step == "\(job).0" && step.agrees == true, "\(step)")
        #expect(step.sacctCpuS.map { $0 >= 2 } ?? false && step.cpuS >= 2)
        #expect(step.sacctMaxRssBytes.map { $0 > 1 << 20 } ?? false)

        // A part that runs without us is noticed.
        let other = try rig.submit(
            "srun -n1 sh -c '\(rig.task) crunch 0.2; timeout 1 sh -c \"while :; do :; done\"'", nodes: 1)
        let unlike = try rig.monitor(other, json: false)
        #expect(unlike.standardOutput.contains("They do not agree"), "\(unlike.standardOutput)")
    }

    @Test(
        "An unknown job, a word that is no job, and a job without tasks of ours are refused with what to do"
    )
    func refusals() throws {
        let rig = try JobRig(nodes: 1)
        let word = try rig.monitor("eight")
        #expect(word.status == .code(64) && word.standardError.contains("needs a job's number"))
        let unknown = try rig.monitor("4711")
        #expect(unknown.status == .code(66) && unknown.standardError.contains("Slurm knows no job 4711"))
        let bare = try rig.submit("true", nodes: 1)
        let none = try rig.monitor(bare, tasks: "\(rig.path)/none")
        #expect(
            none.status == .code(66) && none.standardError.contains("monitor --task -- COMMAND"),
            "\(none.standardError)")
    }
}
