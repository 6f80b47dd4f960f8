/// The batch script of which every task of a capture runs a copy: one session, made by freeze-profile itself.
///
/// It ends with a file that says how the session ended. That file, not Slurm's account, says that a session is made: an
/// account may be purged, or none be kept.
public enum SessionScript {
    /// The script, for `/bin/sh`.
    ///
    /// - Parameters:
    ///   - command: freeze-profile with all that it needs to make a session, but for the session's name.
    ///   - pipeline: The measured command; empty where the command says itself what is measured.
    ///   - resultsDirectory: Where the file about the session's end goes, seen by all nodes.
    ///   - round: Which job of the capture this is, from 1.
    ///   - continuation: The command line by which the whole capture is continued, for messages.
    public static func text(
        command: [String], pipeline: [String], resultsDirectory: String, round: Int, continuation: String
    ) -> String {
        let suffix = round > 1 ? ".\(round)" : ""
        return """
            #!/bin/sh
            # A session of a capture by freeze-profile, for Slurm. Made anew for every job: changes have no effect.
            session="s${SLURM_ARRAY_TASK_ID}\(suffix)"
            if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then session="${session}r${SLURM_RESTART_COUNT}"; fi
            results=\(quoted(resultsDirectory))
            FREEZE_PROFILE_CONTINUATION=\(quoted(continuation))
            export FREEZE_PROFILE_CONTINUATION
            # A request to end reaches freeze-profile too, which ends the run and keeps its record.
            trap : TERM
            started=$(date +%s)
            \(line(command)) --session "$session"\(pipeline.isEmpty ? "" : " -- \(line(pipeline))")
            code=$?
            {
                echo "exit $code"
                echo "node ${SLURMD_NODENAME:-$(hostname)}"
                echo "job ${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
                echo "started $started"
                echo "ended $(date +%s)"
            } > "$results/.$session.tmp" && mv -f "$results/.$session.tmp" "$results/$session"
            exit "$code"

            """
    }

    private static func line(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

    /// The word so that a shell takes it as it is, whatever is in it.
    static func quoted(_ word: String) -> String { "'" + word.replacing("'", with: "'\\''") + "'" }
}
