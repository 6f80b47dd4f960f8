internal import Glibc
internal import LinuxSystem

/// This process running another program, under the same process identifier.
public enum ProgramReplacement {
    /// Runs a program in place of this one, with some variables added. Returns only when that failed.
    ///
    /// The corresponding C functions are `setenv` and `execv`.
    public static func run(_ words: [String], environment: [String: String]) -> SpawnError {
        guard let program = words.first else { return .emptyCommand }
        guard let path = Programs.path(of: program) else { return .notFound(program: program) }
        for (name, value) in environment { setenv(name, value, 1) }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        execv(path, &arguments)
        let error = SystemError.last("run '\(program)'")
        for argument in arguments { free(argument) }
        return .system(error)
    }
}
