internal import LinuxSystem
public import Measurement

/// Questions to git about a work tree, each for at most ten seconds unless the caller allows more. Every call of git is made
/// here.
///
/// A repository may come from a stranger, and its configuration names programs: filters, a monitor of the file system, a
/// command for the network, hooks. None of them is run. Only plumbing and `worktree` are called, with each such setting
/// overridden from outside, no protocol allowed, and git found by absolute directories of PATH.
public enum GitCommand {
    /// What git prints for a plumbing command; unavailable where there is no git or no commit.
    ///
    /// - Parameters:
    ///   - limit: How long it may take.
    ///   - refusal: The reason where git ends with a failure; nil for "no git work tree".
    public static func output(
        of arguments: [String], in directory: String, within limit: Duration = .seconds(10),
        refusal: String? = nil
    ) -> Reading<String> {
        guard let program = Programs.installed("git") else {
            return .unavailable(reason: "git is not installed")
        }
        let call = Call(program: program, directory: directory, limit: limit, refusal: refusal)
        switch call.drivers() {
        case .unavailable(let reason): return .unavailable(reason: reason)
        case .value(let drivers): return call.output(of: arguments, overriding: drivers)
        }
    }
}

/// One question to one program about one directory.
private struct Call {
    let program: String
    let directory: String
    let limit: Duration
    let refusal: String?

    /// Settings that would have git run something, or go to the network, whatever the repository says.
    private static let overrides: [(key: String, value: String)] = [
        ("core.fsmonitor", "false"), ("core.hooksPath", "/dev/null"), ("core.sshCommand", "false"),
        ("core.gitProxy", "false"), ("core.askPass", "false"), ("core.pager", "cat"),
        ("core.editor", "false"),
        ("core.attributesFile", "/dev/null"), ("core.alternateRefsCommand", "false"),
        ("credential.helper", ""),
        ("protocol.allow", "never"), ("diff.external", ""), ("diff.trustExitCode", "false"),
        ("gpg.program", "false"), ("log.showSignature", "false"), ("submodule.recurse", "false"),
        ("diff.ignoreSubmodules", "dirty"), ("safe.bareRepository", "explicit"),
        ("uploadpack.packObjectsHook", ""),
    ]

    /// The settings that name a program for some files: filters, and converters and commands for differences.
    func drivers() -> Reading<[String]> {
        output(of: ["config", "--null", "--name-only", "--list"], overriding: []).map { names in
            names.split(separator: "\0").map(String.init).filter { name in
                let last = name.lowercased().split(separator: ".").last ?? ""
                return name.hasPrefix("filter.") && ["clean", "smudge", "process", "required"].contains(last)
                    || name.hasPrefix("diff.") && ["textconv", "command"].contains(last)
            }
        }
    }

    func output(of arguments: [String], overriding drivers: [String]) -> Reading<String> {
        let settings =
            Call.overrides + drivers.map { (key: $0, value: $0.hasSuffix(".required") ? "false" : "") }
        var environment = [
            // Asking for the state must not take a lock that the user's commit needs.
            "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C",
            // Objects that a partial clone lacks are not fetched.
            "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_TERMINAL_PROMPT": "0",
            "GIT_PAGER": "cat", "GIT_CONFIG_COUNT": "\(settings.count)", "PATH": Programs.searchedDirectories,
        ]
        for (index, setting) in settings.enumerated() {
            environment["GIT_CONFIG_KEY_\(index)"] = setting.key
            environment["GIT_CONFIG_VALUE_\(index)"] = setting.value
        }
        do {
            return try ask(
                [program, "--no-pager", "--literal-pathspecs", "-C", directory] + arguments, environment)
        } catch {
            return .unavailable(reason: "git could not be asked: \(error)")
        }
    }

    private func ask(_ words: [String], _ environment: [String: String]) throws -> Reading<String> {
        switch try CommandOutput.ending(of: words, environment: environment, within: limit) {
        // More than a mebibyte of changes is a dirty tree all the same.
        case .ended(.code(0), let text), .cut(let text): return .value(text)
        case .tookTooLong: return .unavailable(reason: "git took longer than \(limit.readable)")
        case .ended:
            return .unavailable(
                reason: refusal
                    ?? "'\(PlainText.sanitized(directory))' is no git work tree with a commit")
        }
    }
}
