internal import CLinux
internal import Glibc
internal import LinuxSystem

/// Reading files of `/proc`, which give all they have in one `read`.
///
/// An observer of a thousand processes reads thousands of them a second: hence one buffer, and no more calls than
/// open, read and close.
enum ProcFile {
    /// The longest content that is read at once, in bytes.
    static let capacity = 1 << 14

    /// The bytes of a file, nil when it is gone or not ours to see.
    static func read(_ path: String) -> [UInt8]? {
        let descriptor = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return read(descriptor)
    }

    /// The bytes of an open file from its beginning.
    static func read(_ descriptor: Int32) -> [UInt8]? {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, initialized in
            repeat {
                count = pread(descriptor, buffer.baseAddress, capacity, 0)
            } while count < 0 && errno == EINTR
            initialized = max(0, count)
        }
        return count >= 0 ? bytes : nil
    }

    /// The numbers among the names in a directory; empty when it is gone.
    static func numbers(in directory: String) -> [Int32] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var numbers: [Int32] = []
        while let entry = readdir(stream) {
            let number = withUnsafeBytes(of: &entry.pointee.d_name) { name -> Int32? in
                Int32(clamping: decimal(name.prefix { $0 != 0 }) ?? -1)
            }
            if let number, number > 0 { numbers.append(number) }
        }
        return numbers
    }

    /// The number that some bytes spell in decimal digits, a sign before them allowed; nil when it is none, or one
    /// beyond any that the kernel counts to.
    static func decimal(_ text: some Collection<UInt8>) -> Int64? {
        var digits = text[...]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits = digits.dropFirst() }
        guard !digits.isEmpty, digits.count <= 19 else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int64(digit - 0x30))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return isNegative ? -value : value
    }

    /// The number behind a key at the beginning of a line, such as `VmRSS:`.
    static func number(_ key: StaticString, in bytes: [UInt8]) -> Int64? {
        let length = key.utf8CodeUnitCount
        return bytes.withUnsafeBufferPointer { bytes -> Int64? in
            guard let base = bytes.baseAddress else { return nil }
            var start = 0
            while start + length <= bytes.count {
                if memcmp(base + start, key.utf8Start, length) == 0 {
                    let digits = bytes[(start + length)...].drop { $0 == 0x20 || $0 == 0x09 }
                        .prefix { (0x30...0x39).contains($0) }
                    return decimal(digits)
                }
                guard let end = bytes[start...].firstIndex(of: 0x0A) else { return nil }
                start = end + 1
            }
            return nil
        }
    }
}
