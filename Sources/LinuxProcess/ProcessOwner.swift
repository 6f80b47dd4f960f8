internal import LinuxSystem

/// Whose a process is.
public enum ProcessOwner {
    /// The effective user of a process, nil when it has ended. From `/proc/PID/status`.
    public static func effectiveUser(of pid: Int32) -> UInt32? {
        ProcessStatus.text(of: pid).flatMap { effectiveUser(inStatus: $0) }
    }

    /// The effective user in the text of `/proc/PID/status`; nil where the text has none.
    public static func effectiveUser(inStatus text: [UInt8]) -> UInt32? {
        let name = Array("Uid:".utf8)
        guard let line = text.split(separator: UInt8(ascii: "\n")).first(where: { $0.starts(with: name) })
        else {
            return nil
        }
        // Real, effective, saved, file system.
        let fields = line.split { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
        return fields.count > 2 ? ProcFile.decimal(fields[2]).flatMap { UInt32(exactly: $0) } : nil
    }
}
