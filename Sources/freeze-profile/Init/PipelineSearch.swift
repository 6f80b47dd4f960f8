internal import LinuxSystem
internal import Measurement

/// Looks for a project's pipeline among its files, without running any.
enum PipelineSearch {
    struct Found {
        /// The command line, with `{output_dir}` where the output directory goes.
        var command: [String]
        /// What was found, for the user.
        var sentence: String
    }

    /// Where pipelines are looked for.
    private static let directories = [".", "scripts", "bin"]
    /// By what a file that marks its stages is recognised: the variable, or one of our helpers.
    private static let marks = [
        "PIPELINE_STATUS_FILE", "pipeline_status", "stages.sh", "stages.mjs", "freeze-profile stage",
    ].map { Array($0.utf8) }
    private static let interpreters = [
        "py": "python3", "sh": "sh", "bash": "bash", "mjs": "node", "js": "node",
    ]
    /// How much of a file is looked at. A program that is larger is found by its name only.
    private static let lookedAt = 1 << 16
    /// The most files that are looked at.
    private static let mostFiles = 500

    private static let placeholder = ["./my-pipeline", "{output_dir}"]

    static func find(given: [String]) -> Found {
        if !given.isEmpty {
            let hasPlace = given.contains { $0.contains("{output_dir}") }
            return Found(
                command: given,
                sentence: "Pipeline: \(ShellWords.line(given))"
                    + (hasPlace
                        ? ""
                        : "\nIt names no {output_dir}; it has to write where PIPELINE_OUTPUT_DIR says, or write nothing.")
            )
        }
        let files = candidates()
        let marking = files.filter(marksStages)
        let named = files.filter { Files.name(of: $0).prefix { $0 != "." } == "pipeline" }
        let best = marking.isEmpty ? named : marking
        switch best.count {
        case 1:
            let command = commandLine(best[0])
            return Found(
                command: command,
                sentence: "Pipeline: \(ShellWords.line(command))"
                    + (marking.isEmpty
                        ? "\nIt marks no stages yet, so the whole run will be one; see docs/getting-started.md."
                        : ""))
        case 0:
            return Found(
                command: placeholder,
                sentence:
                    "No pipeline was found here. The files say './my-pipeline {output_dir}': replace it, or use "
                    + "'freeze-profile init -- COMMAND...'.")
        default:
            let names = best.prefix(5).map { ShellWords.line([$0]) }.joined(separator: ", ")
            return Found(
                command: placeholder,
                sentence:
                    "\(best.count) files could be the pipeline: \(names). The files say './my-pipeline {output_dir}': "
                    + "replace it, or use 'freeze-profile init -- COMMAND...'.")
        }
    }

    /// Programs and scripts, by their paths, in order of name.
    private static func candidates() -> [String] {
        var found: [String] = []
        for directory in directories where Files.isDirectory(directory) {
            do throws(SystemError) {
                for name in try Files.names(inDirectory: directory).sorted().prefix(mostFiles) {
                    let path = "\(directory)/\(name)"
                    // A helper marks nothing by itself.
                    let isHelper = name == "pipeline_status.py" || name.hasPrefix("stages.")
                    guard Files.isRegularFile(path), !isHelper, !name.hasPrefix(".") else { continue }
                    if Files.isExecutable(path) || interpreter(of: name) != nil { found.append(path) }
                }
            } catch {
                // A directory that cannot be listed has no pipeline for this user.
                continue
            }
        }
        return found
    }

    private static func interpreter(of name: String) -> String? {
        guard let dot = name.lastIndex(of: ".") else { return nil }
        return interpreters[String(name[dot...].dropFirst())]
    }

    private static func commandLine(_ path: String) -> [String] {
        let own = path.hasPrefix("./") ? path : "./\(path)"
        if Files.isExecutable(path) { return [own, "{output_dir}"] }
        return (interpreter(of: path).map { [$0] } ?? []) + [own, "{output_dir}"]
    }

    private static func marksStages(_ path: String) -> Bool {
        do throws(Files.ReadError) {
            let text = try Files.readBeginning(path, .beside, limit: lookedAt)
            return marks.contains { text.contains($0) }
        } catch {
            // What cannot be read cannot be shown to mark stages.
            return false
        }
    }
}
