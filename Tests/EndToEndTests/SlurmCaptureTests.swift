import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

@Suite(
    "Captures on Slurm", .enabled(if: SlurmTestbed.isInstalled, Comment(rawValue: SlurmTestbed.notInstalled)))
struct SlurmCaptureTests {
    @Test("Eight sessions over four nodes are one sound profile, the same as of the records frozen by hand")
    func spread() throws {
        let rig = try SlurmRig()
        try rig.open()
        try rig.makeSlowOnLastNode()
        let result = try rig.capture(["--sessions", "8", "--nodes", "n[1-4]", "--runs", "2"])
        try #require(result.status == .code(0), "\(result.standardError)")
        #expect(result.standardError.contains("of 8 sessions made"))
        let sessions = try rig.profile().sessions
        #expect(Set(sessions.map(\.id)) == Set((1...8).map { "s\($0)" }))
        #expect(sessions.allSatisfy { $0.runs.count { $0.counts } == 2 })
        let places = sessions.compactMap(\.place)
        #expect(
            Dictionary(grouping: places, by: \.node).mapValues(\.count) == [
                "n1": 2, "n2": 2, "n3": 2, "n4": 2,
            ])
        #expect(Set(places.map(\.job)).count == 8)
        #expect(Set(places.map(\.host)) == [CurrentProcess.hostName])
        try rig.expectSound()
        let diff = try runCommand([
            BuiltProduct.path("freeze-profile"), "diff", rig.profileFile, rig.profileFile, "--allow",
            "git_dirty",
            "--exclude-odd-nodes",
        ])
        let printed = diff.standardOutput.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(printed.contains("Node n4 is "), "\(diff.standardOutput)\(diff.standardError)")
        #expect(printed.contains("Left out on both sides by rule: 4 of 16 sessions."))
        let again = try rig.capture(["--sessions", "8", "--nodes", "n[1-4]", "--runs", "2"])
        #expect(
            again.status == .code(73) && again.standardError.contains("--force"), "\(again.standardError)")
    }

    @Test("A node that is lost takes no session with it: Slurm starts its task again, and one of them counts")
    func lostNode() throws {
        let rig = try SlurmRig(nodes: 2)
        let capture = try rig.start(["--sessions", "2"])
        try rig.waitUntilReached(task: 1)
        try rig.waitUntilReached(task: 2)
        let node = try rig.slurm.ask("squeue", "--noheader", "--array", "--states=R", "--format=%K %N")
            .split(separator: "\n").first { $0.hasPrefix("1 ") }?.split(separator: " ").last
        let lost = String(try #require(node))
        try rig.slurm.order("stop \(lost)")
        // Of the node that is left the second task is the last user; then the first is started again there.
        try rig.open()
        let ending = try capture.end()
        let said = try capture.said()
        try #require(ending == .code(0), "\(said)")
        let sessions = try rig.profile().sessions
        #expect(sessions.map(\.id).sorted() == ["s1r1", "s2"], "\(said)")
        #expect(sessions.allSatisfy { $0.place?.node != lost && $0.runs.count { $0.counts } == 1 })
        try rig.expectSound()
    }

    @Test(
        "A cancelled task is for a person to decide about; a requeued one is another session; none counts twice"
    )
    func cancelledAndRequeued() throws {
        let rig = try SlurmRig(nodes: 2)
        let capture = try rig.start(["--sessions", "2"])
        try rig.waitUntilReached(task: 1)
        try rig.waitUntilReached(task: 2)
        let job = try rig.slurm.ask("squeue", "--noheader", "--format=%F").split(separator: "\n")[0]
        _ = try rig.slurm.ask("scancel", "\(job)_2")
        _ = try rig.slurm.ask("scontrol", "requeue", "\(job)_1")
        try rig.waitUntilReached(task: 1, restart: 1)
        try rig.open()
        #expect(try capture.end() == .code(4))
        let said = try capture.said()
        #expect(
            said.contains("Task \(job)_2") && said.contains("was cancelled, so session 2 is not made."),
            "\(said)")
        #expect(said.contains("1 session of 2. The same command again makes only the missing ones:"))
        #expect(!Files.exists(rig.profileFile))
        let again = try rig.capture(["--sessions", "2"])
        try #require(again.status == .code(0), "\(again.standardError)")
        #expect(again.standardError.contains(" with 1 session\n"))
        #expect(try rig.profile().sessions.map(\.id).sorted() == ["s1r1", "s2.2"])
        #expect(try Files.names(inDirectory: "\(rig.records)/.unfinished").sorted() == ["s1", "s2"])
        try rig.expectSound()
    }

    @Test("Ctrl-C leaves the job alone and the same command attaches to it; twice cancels it")
    func leaving() throws {
        let rig = try SlurmRig(nodes: 1)
        let first = try rig.start(["--sessions", "2"])
        try rig.waitUntilReached(task: 1)
        try first.waitUntil("1 runs")
        let second = try rig.capture(["--sessions", "2"])
        #expect(second.status == .code(73) && second.standardError.contains("Another capture by Slurm"))
        first.interrupt()
        #expect(try first.end() == .code(4))
        #expect(
            try first.said().contains(
                "of this capture goes on in Slurm.\nThe same command again attaches to it"))
        let jobs = try rig.slurm.ask("squeue", "--noheader", "--array", "--format=%T").split(separator: "\n")
        #expect(jobs.count == 2 && jobs.contains("RUNNING"))

        let attached = try rig.start(["--sessions", "2"])
        try attached.waitUntil("1 runs (n1), 1 waits")
        #expect(try !attached.said().contains("submitted"))
        attached.interrupt()
        try attached.waitUntil("Ctrl-C again within 3 s cancels")
        attached.interrupt()
        #expect(try attached.end() == .code(4))
        let words = try attached.said()
        #expect(words.contains("Cancelled: job "), "\(words)")
        #expect(try rig.slurm.ask("squeue", "--noheader", "--states=PD,R", "--format=%T") == "")

        try rig.open()
        let last = try rig.capture(["--sessions", "2"])
        try #require(last.status == .code(0), "\(last.standardError)")
        #expect(try rig.profile().sessions.count == 2)
        try rig.expectSound()
    }

    @Test(
        "While munge is gone and the controller is started again the capture goes on asking, and loses nothing"
    )
    func silence() throws {
        let rig = try SlurmRig(nodes: 2)
        let capture = try rig.start(["--sessions", "2"])
        try rig.waitUntilReached(task: 1)
        try rig.waitUntilReached(task: 2)
        try rig.slurm.order("stop munged")
        try capture.waitUntil("Asking on; the jobs are not affected.")
        try rig.slurm.order("stop slurmctld")
        try rig.slurm.order("start munged")
        try rig.slurm.order("start slurmctld")
        try capture.waitUntil("Slurm answers again")
        try rig.open()
        let ending = try capture.end()
        let said = try capture.said()
        try #require(ending == .code(0), "\(said)")
        #expect(try rig.profile().sessions.map(\.id).sorted() == ["s1", "s2"])
        // A controller that has lost its memory would start the tasks again.
        #expect(try rig.slurm.ask("squeue", "--noheader", "--states=PD,R", "--format=%i") == "")
        try rig.expectSound()
    }

    @Test(
        "A pipeline that fails is not Slurm's fault: its words are shown, it is kept, and made again when asked"
    )
    func failedPipeline() throws {
        let rig = try SlurmRig(nodes: 2)
        try rig.open()
        try rig.setBroken(true)
        let failed = try rig.capture(["--sessions", "3"])
        #expect(failed.status == .code(4))
        #expect(failed.standardError.contains("Session s2 on n"), "\(failed.standardError)")
        #expect(failed.standardError.contains("gated: the input is broken"))
        #expect(failed.standardError.contains("2 sessions of 3."))
        let other = try rig.capture(["--sessions", "3", "--runs", "2"])
        #expect(
            other.status == .code(73) && other.standardError.contains("of another command, or of other runs"))
        try rig.setBroken(false)
        let again = try rig.capture(["--sessions", "3"])
        try #require(again.status == .code(0), "\(again.standardError)")
        let profile = try rig.profile()
        #expect(profile.totals.runs == 3)
        #expect(profile.captureQuality?.attempts[.measured] == RunAttempts(attempted: 4, recorded: 3))
        try rig.expectSound()
    }

    @Test(
        "A node that a cgroup gives less CPU time is named",
        .enabled(if: SlurmTestbed.hasQuotas, Comment(rawValue: SlurmTestbed.noQuotas)))
    func slowNode() throws {
        let rig = try SlurmRig(quotas: ["n1": 20, "n2": 20, "n3": 20, "n4": 5])
        try rig.open()
        let result = try rig.capture(["--sessions", "8", "--nodes", "n[1-4]"])
        try #require(result.status == .code(0), "\(result.standardError)")
        let diff = try runCommand([
            BuiltProduct.path("freeze-profile"), "diff", rig.profileFile, rig.profileFile, "--allow",
            "git_dirty",
        ])
        let printed = diff.standardOutput.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(printed.contains("Node n4 is "), "\(diff.standardOutput)\(diff.standardError)")
        for node in ["n1", "n2", "n3"] { #expect(!printed.contains("Node \(node) is ")) }
    }

    @Test(
        "Pairs of two commands stay on one node each, and give one verdict; the same command finds its sessions again"
    )
    func pairs() throws {
        let rig = try SlurmRig(nodes: 2)
        let (fast, slow) = ("sh -c 'exec sleep 0.15'", "sh -c 'exec sleep 0.4'")
        let options = ["--nodes", "n[1-2]", "--pairs", "8", "--budget", "wall=20", "--json"]
        let result = try rig.pairs(fast, slow, options)
        #expect(result.status == .code(1), "\(result.standardOutput)\(result.standardError)")
        #expect(result.standardOutput.contains("Pairs by node: n1 4, n2 4."), "\(result.standardOutput)")
        // Of each pair both records lie in one session's directory, and were made on one node.
        for session in ["s1", "s2"] {
            var places: Set<String> = []
            for command in ["a", "b"] {
                let directory = "\(rig.records)/\(session)/records/\(command)"
                let names = try Files.names(inDirectory: directory).filter { $0.hasSuffix("-measured.json") }
                #expect(names.count == 4)
                for name in names {
                    let text = String(
                        decoding: try Files.read("\(directory)/\(name)", limit: 1 << 20), as: UTF8.self)
                    let node = try #require(["n1", "n2"].first { text.contains("\"node\": \"\($0)\"") })
                    places.insert(node)
                }
            }
            #expect(places.count == 1)
        }
        let wrong = try rig.pairs(fast, slow, ["--nodes", "n[1-2]", "--grow"])
        #expect(
            wrong.status == .code(64)
                && wrong.standardError.contains("--grow does not go with --engine slurm"))
    }

    @Test("What Slurm refuses is said in its own words, and no job is left")
    func refusals() throws {
        let rig = try SlurmRig(nodes: 1)
        for (options, words) in [
            (["--partition", "nosuch"], "invalid partition specified: nosuch"),
            (["--time", "tomorrow"], "Invalid --time specification"),
            (["--sbatch-arg=--nodelist=nosuch"], "Invalid node name specified"),
        ] {
            let result = try rig.capture(["--sessions", "1"] + options)
            #expect(result.status == .code(4))
            #expect(
                result.standardError.contains("sbatch says: ") && result.standardError.contains(words)
                    && result.standardError.contains("No job was submitted."), "\(result.standardError)")
        }
        #expect(try rig.slurm.ask("squeue", "--noheader", "--states=all", "--format=%i") == "")
        let none = try rig.capture(["--sessions", "1"], environment: ["PATH": "/nowhere"])
        #expect(none.status == .code(4) && none.standardError.contains("There is no 'sbatch' on PATH"))
    }
}
