internal import FrozenProfile
internal import LinuxProcess
internal import LinuxSystem
internal import Measurement
internal import MessageDigest

/// What a command runs, as a digest: its executable and the scripts and programs that it names.
///
/// Files that it reads as data are not among them: a pipeline may change these from run to run.
enum ProgramDigest {
    /// A program larger than this is not read before every run.
    static let largest: Int64 = 256 << 20
    private static let scriptEndings: Set = [
        "awk", "bash", "jl", "js", "lua", "mjs", "php", "pl", "py", "r", "rb", "sh", "tcl", "ts",
    ]

    /// The digest of a command's programs, in the order in which it names them.
    static func of(_ command: [String]) -> Reading<String> {
        guard let first = command.first else { return .unavailable(reason: "there is no command") }
        guard let program = Programs.path(of: first) else {
            return .unavailable(reason: "the program is not on PATH")
        }
        var digest = SHA256()
        var seen: Set<String> = []
        for path in [program] + command.dropFirst().compactMap(named) where seen.insert(path).inserted {
            do throws(SystemError) {
                guard Files.isRegularFile(path) else { return .unavailable(reason: "'\(path)' is no file") }
                guard try Files.size(path) <= largest else {
                    return .unavailable(reason: "'\(path)' is larger than \(largest >> 20) MiB")
                }
                digest.update(Array((try SHA256.file(path).sha256 + "\n").utf8))
            } catch {
                return .unavailable(reason: error.description)
            }
        }
        return .value(digest.hexadecimal())
    }

    /// The script or program that a word names, also behind an option's equals sign; nil for any other word.
    private static func named(_ word: String) -> String? {
        let value =
            word.hasPrefix("-") ? word.split(separator: "=", maxSplits: 1).dropFirst().first : word[...]
        guard let path = value.map(String.init), !path.isEmpty, !path.contains("{"),
            Files.isRegularFile(path)
        else { return nil }
        let name = Files.name(of: path)
        let ending = name.split(separator: ".").dropFirst().last.map { $0.lowercased() } ?? ""
        return scriptEndings.contains(ending) || Files.isExecutable(path) ? path : nil
    }
}
