internal import LinuxSystem
internal import Measurement

/// A digest by which two runs tell whether they worked on the same and produced the same: FNV-1a with 64 bits.
///
/// It guards against mistakes, not against malice.
struct ContentDigest {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    /// Adds a text, told apart from the next by a byte that no UTF-8 has.
    mutating func add(_ text: String) {
        add(text.utf8)
        add(CollectionOfOne(0xFF))
    }

    /// Adds a file, read in pieces.
    mutating func add(file path: String) throws(SystemError) {
        let file = try FileDescriptor.open(path, .read)
        while true {
            let piece = try file.read(upTo: 1 << 18)
            if piece.isEmpty { return }
            add(piece)
        }
    }

    /// The algorithm and 16 hexadecimal digits.
    var text: String {
        let digits = String(state, radix: 16)
        return "fnv1a64:" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}
