import Measurement
import Testing

@testable import SlurmEngine

@Suite("What is given to Slurm")
struct SubmissionTests {
    @Test("Numbers of tasks as ranges")
    func numbers() {
        #expect(TaskNumbers.text([3, 1, 2, 7, 9, 8, 5, 5]) == "1-3,5,7-9")
        #expect(TaskNumbers.text([4]) == "4" && TaskNumbers.text([]).isEmpty)
    }

    @Test(
        "An attempt and its session's name are one and the same",
        arguments: [("s3", 3, 1, 0), ("s3.2", 3, 2, 0), ("s12r1", 12, 1, 1), ("s1.10r3", 1, 10, 3)])
    func attempts(_ name: String, _ slot: Int, _ round: Int, _ restart: Int) {
        let attempt = SessionAttempt(slot: slot, round: round, restart: restart)
        #expect(attempt.session == name)
        #expect(SessionAttempt(session: name) == attempt)
    }

    @Test(
        "Other names are no attempts",
        arguments: [
            "", "s", "s0", "s01", "s1.1", "s1.", "s1r0", "s1r", "x1", "s-1", "s1.2.3", "s١", "s1r1.2",
        ])
    func noAttempts(_ name: String) {
        #expect(SessionAttempt(session: name) == nil)
    }

    @Test("sbatch gets what was asked for, the user's own arguments last, so that they win")
    func arguments() {
        var options = SubmissionOptions()
        options.partition = "long"
        options.timeLimit = "2:00:00"
        options.arguments = ["--mem=4G"]
        let words = Submission(name: "freeze-profile.v1.abc", slots: [1, 2, 5], node: "n2")
            .arguments(options, script: "/r/job.sh", directory: "/w", logsDirectory: "/r/100%/logs")
        #expect(
            words == [
                "sbatch", "--parsable", "--array=1-2,5", "--job-name=freeze-profile.v1.abc", "--chdir=/w",
                "--output=/r/100%%/logs/%A_%a.log", "--open-mode=append", "--ntasks=1", "--nodes=1",
                "--exclusive",
                "--nodelist=n2", "--partition=long", "--time=2:00:00", "--mem=4G", "/r/job.sh",
            ])
        options.arguments = ["--oversubscribe"]
        let shared = Submission(name: "x", slots: [1], node: nil)
            .arguments(options, script: "s", directory: "/", logsDirectory: "/l")
        #expect(!shared.contains("--exclusive"))
    }

    @Test("Sessions stay with their nodes, whichever of them are still missing")
    func grouping() {
        let nodes = ["n1", "n2", "n3"]
        let all = Submission.grouped(slots: Array(1...7), over: nodes)
        #expect(all.map(\.node) == ["n1", "n2", "n3"] && all.map(\.slots) == [[1, 4, 7], [2, 5], [3, 6]])
        let rest = Submission.grouped(slots: [4, 6], over: nodes)
        #expect(rest.map(\.node) == ["n1", "n3"] && rest.map(\.slots) == [[4], [6]])
        #expect(Submission.grouped(slots: [2], over: []).map(\.node) == [nil])
    }

    @Test("The job's number, with the cluster's name or without; anything else is none")
    func jobNumber() {
        #expect(Submission.jobNumber("12\n") == 12 && Submission.jobNumber("12;cluster\n") == 12)
        #expect(Submission.jobNumber("") == nil && Submission.jobNumber("-1") == nil)
        #expect(Submission.jobNumber("sbatch: queued") == nil)
    }

    @Test("The shell takes each word of the script as it is")
    func script() throws {
        let words = ["plain", "it's", "a b", "$HOME `x` \\ \"q\"", "line\nbreak", "", "é*?"]
        let quoted = words.map(SessionScript.quoted)
        #expect(quoted[1] == "'it'\\''s'")
        let text = SessionScript.text(
            command: ["/t/tool", "capture"], pipeline: words, resultsDirectory: "/r's", round: 2,
            continuation: "capture 'x'")
        #expect(text.contains("session=\"s${SLURM_ARRAY_TASK_ID}.2\"\n"))
        #expect(
            text.contains("'/t/tool' 'capture' --session \"$session\" -- \(quoted.joined(separator: " "))\n"))
        #expect(text.contains("results='/r'\\''s'\n"))
        #expect(text.contains(#"FREEZE_PROFILE_CONTINUATION='capture '\''x'\'''"#))
    }
}
