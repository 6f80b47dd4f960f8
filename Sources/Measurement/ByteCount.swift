/// A number of bytes.
public struct ByteCount: Hashable, Comparable, Sendable {
    /// The count, in bytes.
    public var bytes: Int64

    /// A count of bytes.
    public init(bytes: Int64) {
        self.bytes = bytes
    }

    /// A count of kibibytes (1024 bytes), the unit of `/proc/PID/status` and `getrusage`.
    public static func kibibytes(_ count: Int64) -> ByteCount {
        ByteCount(bytes: count * 1024)
    }

    /// A count of mebibytes (1,048,576 bytes).
    public static func mebibytes(_ count: Double) -> ByteCount {
        ByteCount(bytes: Int64((count * 1_048_576).rounded()))
    }

    /// The count in mebibytes: the unit of every `_mb` key in the log and in a frozen profile.
    public var mebibytes: Double {
        Double(bytes) / 1_048_576
    }

    public static let zero = ByteCount(bytes: 0)

    public static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    public static func + (left: ByteCount, right: ByteCount) -> ByteCount {
        ByteCount(bytes: left.bytes + right.bytes)
    }
}

extension ByteCount: CustomStringConvertible {
    /// The count in the largest binary unit that keeps it above one, such as `617 MiB`.
    public var description: String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value.magnitude < 1024 {
                return unit == "B" ? "\(bytes) B" : "\(value.fixed(value.magnitude < 10 ? 1 : 0)) \(unit)"
            }
            value /= 1024
        }
        return "\(value.fixed(1)) TiB"
    }
}
