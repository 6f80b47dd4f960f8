internal import CPerfEvents
internal import LinuxProcess

/// A record of a perf ring, as the events of `CPerfEvents` are set up to write it (perf_event_open(2)).
///
/// Pure: bytes in, values out. Pointers in a sample point into those bytes.
enum PerfRecord {
    case sample(PerfSample)
    /// Executable memory of a process.
    case mapping(PerfMapping)
    /// A thread got a name. `isExec`: because its process now runs another program.
    case name(processID: Int32, threadID: Int32, name: String, isExec: Bool)
    /// A thread began; in a process of its own where `parentID` is another than `processID`.
    case fork(processID: Int32, threadID: Int32, parentID: Int32, parentThreadID: Int32)
    case exit(processID: Int32, threadID: Int32)
    /// What an inherited event has counted of a thread that ends: nanoseconds of CPU time.
    case count(processID: Int32, threadID: Int32, identifier: UInt64, nanoseconds: UInt64)
    /// A thread got the CPU, or lost it.
    case switched(PerfSwitch)
    /// The ring was full.
    case lost(UInt64)
    case throttled
    /// A kind without meaning here.
    case other

    /// The header that starts every record: kind, flags, size.
    static let headerSize = 8
    /// What ends every record but samples: pid, tid, time, identifier.
    private static let trailerSize = 24

    /// Reads a whole record, nil when it is not one.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let kind = bytes.value(UInt32.self, at: 0), let flags = bytes.value(UInt16.self, at: 4),
            let size = bytes.value(UInt16.self, at: 6), Int(size) == bytes.count
        else { return nil }
        guard let record = Self.content(kind: kind, flags: flags, bytes) else { return nil }
        self = record
    }

    /// When a record was written, in nanoseconds of CLOCK_MONOTONIC; nil when it is not one.
    static func time(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard let kind = bytes.value(UInt32.self, at: 0) else { return nil }
        if kind == 9 { return bytes.value(UInt64.self, at: 24) }
        guard bytes.count >= headerSize + trailerSize else { return nil }
        return bytes.value(UInt64.self, at: bytes.count - 16)
    }

    private static func content(kind: UInt32, flags: UInt16, _ bytes: UnsafeRawBufferPointer) -> PerfRecord? {
        switch kind {
        case 9: return PerfSample(bytes, isInKernel: flags & 7 == 1).map { .sample($0) }
        case 10: return PerfMapping(bytes, hasBuildID: flags & 1 << 14 != 0).map { .mapping($0) }
        case 3:
            guard let processID = bytes.value(Int32.self, at: 8),
                let threadID = bytes.value(Int32.self, at: 12)
            else { return nil }
            let name = bytes.text(from: 16, to: bytes.count - trailerSize)
            return .name(processID: processID, threadID: threadID, name: name, isExec: flags & 1 << 13 != 0)
        case 7, 4:
            guard let processID = bytes.value(Int32.self, at: 8),
                let parentID = bytes.value(Int32.self, at: 12),
                let threadID = bytes.value(Int32.self, at: 16),
                let parentThreadID = bytes.value(Int32.self, at: 20)
            else { return nil }
            return kind == 7
                ? .fork(
                    processID: processID, threadID: threadID, parentID: parentID,
                    parentThreadID: parentThreadID)
                : .exit(processID: processID, threadID: threadID)
        case 8:
            guard let processID = bytes.value(Int32.self, at: 8),
                let threadID = bytes.value(Int32.self, at: 12),
                let count = bytes.value(UInt64.self, at: 16),
                let identifier = bytes.value(UInt64.self, at: bytes.count - 8)
            else { return nil }
            return .count(
                processID: processID, threadID: threadID, identifier: identifier, nanoseconds: count)
        case 2: return bytes.value(UInt64.self, at: 16).map { .lost($0) }
        case 13: return bytes.value(UInt64.self, at: 8).map { .lost($0) }
        case 14, 15:
            return PerfSwitch(bytes, isOut: flags & 1 << 13 != 0).map { .switched($0) }
        case 5: return .throttled
        default: return .other
        }
    }
}

/// A thread caught at work.
struct PerfSample {
    var processID: Int32
    var threadID: Int32
    /// Nanoseconds of CLOCK_MONOTONIC.
    var time: UInt64
    /// The event, or the one it was inherited from.
    var identifier: UInt64
    var isInKernel: Bool
    /// Code addresses by the chain of frame pointers, leaf first, as the kernel walked it: further than the copy of the
    /// stack, but at most 127, and only as good as the frame pointers.
    var chain: UnsafeRawBufferPointer
    /// The instruction that the interrupt met: of the kernel, where `isInKernel`.
    var address: UInt64
    /// Whether the thread runs in 32-bit mode.
    var is32Bit = false
    /// `cperf_register_count` words in the kernel's order, nil where the thread had none (a kernel thread, one that exits)
    /// or others (in 32-bit mode).
    var registers: UnsafeRawPointer?
    /// Memory from the stack pointer upwards, as much as could be copied.
    var stack: UnsafeRawBufferPointer
    /// Whether as much was copied as was asked for: more stack may lie above.
    var isStackCut: Bool

    /// The length of the chain, its addresses, register ABI, registers, stack size, stack, size in use, after header,
    /// ip, pid/tid, time, id.
    init?(_ bytes: UnsafeRawBufferPointer, isInKernel: Bool) {
        guard let address = bytes.value(UInt64.self, at: 8),
            let processID = bytes.value(Int32.self, at: 16), let threadID = bytes.value(Int32.self, at: 20),
            let time = bytes.value(UInt64.self, at: 24), let identifier = bytes.value(UInt64.self, at: 32),
            let chainLength = bytes.value(UInt64.self, at: 40), chainLength <= UInt64(bytes.count / 8)
        else { return nil }
        let afterChain = 48 + Int(chainLength) * 8
        guard let registerABI = bytes.value(UInt64.self, at: afterChain) else { return nil }
        self.address = address
        self.processID = processID
        self.threadID = threadID
        self.time = time
        self.identifier = identifier
        self.isInKernel = isInKernel
        chain = Self.userChain(UnsafeRawBufferPointer(rebasing: bytes[48..<afterChain]))
        registers = nil
        stack = UnsafeRawBufferPointer(start: nil, count: 0)
        isStackCut = false
        // 2: a 64-bit process. What runs in 32-bit mode has other registers, and no unwinder here.
        is32Bit = registerABI == 1
        guard registerABI == 2 else { return }
        let registerField = afterChain + 8
        let stackField = registerField + Int(cperf_register_count) * 8
        guard let asked = bytes.value(UInt64.self, at: stackField) else { return nil }
        let start = stackField + 8
        guard asked > 0 else {
            registers = bytes.baseAddress?.advanced(by: registerField)
            return
        }
        guard asked <= UInt64(bytes.count), let used = bytes.value(UInt64.self, at: start + Int(asked)),
            used <= asked
        else { return nil }
        registers = bytes.baseAddress?.advanced(by: registerField)
        stack = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(used)])
        isStackCut = used == asked
    }

    /// The addresses after the mark of the user's part.
    private static func userChain(_ chain: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let mark = cperf_user_chain_mark()
        for index in 0..<chain.count / 8 where chain.value(UInt64.self, at: index * 8) == mark {
            return UnsafeRawBufferPointer(rebasing: chain[(index * 8 + 8)...])
        }
        return UnsafeRawBufferPointer(rebasing: chain[..<0])
    }
}

/// A thread got a CPU, or lost it.
struct PerfSwitch: Equatable {
    var processID: Int32
    var threadID: Int32
    /// Nanoseconds of CLOCK_MONOTONIC.
    var time: UInt64
    var isOut: Bool
}

extension PerfSwitch {
    /// The thread and the moment stand in the trailer of every record: pid, tid, time, identifier.
    init?(_ bytes: UnsafeRawBufferPointer, isOut: Bool) {
        guard let processID = bytes.value(Int32.self, at: bytes.count - 24),
            let threadID = bytes.value(Int32.self, at: bytes.count - 20),
            let time = bytes.value(UInt64.self, at: bytes.count - 16)
        else { return nil }
        self.init(processID: processID, threadID: threadID, time: time, isOut: isOut)
    }
}

/// Memory that a process has mapped executable.
struct PerfMapping {
    var processID: Int32
    var mapping: MemoryMapping
    /// The build identifier in lower-case hexadecimal, where the kernel reported it instead of the inode.
    var buildID: String?
}

extension PerfMapping {
    /// header, pid, tid, addr, len, pgoff, (maj, min, ino, generation | size and build id), prot, flags, name.
    init?(_ bytes: UnsafeRawBufferPointer, hasBuildID: Bool) {
        guard let processID = bytes.value(Int32.self, at: 8), let start = bytes.value(UInt64.self, at: 16),
            let length = bytes.value(UInt64.self, at: 24), let offset = bytes.value(UInt64.self, at: 32),
            let protection = bytes.value(UInt32.self, at: 64), length > 0, start <= UInt64.max - length
        else { return nil }
        self.processID = processID
        var inode: UInt64 = 0
        var device: UInt64 = 0
        if hasBuildID {
            let size = min(Int(bytes[40]), 20)
            buildID = bytes[44..<44 + size].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        } else {
            device = UInt64(bytes.value(UInt32.self, at: 40) ?? 0) << 20
            device |= UInt64(bytes.value(UInt32.self, at: 44) ?? 0)
            inode = bytes.value(UInt64.self, at: 48) ?? 0
        }
        var path = bytes.text(from: 72, to: bytes.count - 24)
        let isDeleted = path.hasSuffix(" (deleted)")
        if isDeleted { path.removeLast(" (deleted)".count) }
        mapping = MemoryMapping(
            start: RuntimeAddress(start), end: RuntimeAddress(start + length), fileOffset: offset,
            isExecutable: protection & 4 != 0, inode: inode, device: device, path: path, isDeleted: isDeleted)
    }
}

extension UnsafeRawBufferPointer {
    /// A value at an offset, nil where the bytes end before.
    fileprivate func value<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value? {
        guard offset >= 0, offset <= count - MemoryLayout<Value>.size else { return nil }
        return loadUnaligned(fromByteOffset: offset, as: Value.self)
    }

    /// Text up to a zero byte, empty where the range is none.
    fileprivate func text(from start: Int, to end: Int) -> String {
        guard start >= 0, start <= end, end <= count else { return "" }
        return String(decoding: self[start..<end].prefix { $0 != 0 }, as: UTF8.self)
    }
}
