internal import LinuxSystem

/// Whether a process waits for the user to type.
public enum TerminalReader {
    /// The number of read(2).
    #if arch(x86_64)
        private static let readCall = "0"
    #else
        private static let readCall = "63"
    #endif

    /// Whether a process's first thread is in a `read` of a terminal: nil when the kernel does not let that be seen.
    ///
    /// - Parameters:
    ///   - pid: A process, best a descendant of ours: of others a hardened kernel reports nothing.
    ///   - terminal: The terminal's path, such as `/dev/pts/3`.
    public static func isWaiting(_ pid: Int32, at terminal: String) -> Bool? {
        guard let text = ProcFile.read("/proc/\(pid)/syscall") else { return nil }
        guard let descriptor = parse(text) else { return false }
        do throws(SystemError) {
            let read = try Files.linkTarget("/proc/\(pid)/fd/\(descriptor)")
            return read == terminal || read == "/dev/tty"
        } catch {
            // It has returned from the call, or ended.
            return false
        }
    }

    /// The path of the terminal that a descriptor of ours is; nil when it is none.
    public static func terminal(_ descriptor: Int32) -> String? {
        guard Terminal.isTerminal(descriptor) else { return nil }
        do throws(SystemError) {
            return try Files.linkTarget("/proc/self/fd/\(descriptor)")
        } catch {
            return nil
        }
    }

    /// The descriptor that is being read, in the text of `/proc/PID/syscall`; nil when none is.
    static func parse(_ bytes: [UInt8]) -> Int? {
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard words.count > 1, words[0] == readCall, words[1].hasPrefix("0x") else { return nil }
        return Int(words[1].dropFirst(2), radix: 16)
    }
}
