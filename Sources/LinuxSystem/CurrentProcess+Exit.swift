internal import Glibc

extension CurrentProcess {
    /// Ends this process with an exit code, of which the low eight bits arrive. The corresponding C function is `exit`.
    public static func exit(_ code: Int32) -> Never {
        Glibc.exit(code)
    }
}
