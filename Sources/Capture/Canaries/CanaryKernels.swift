public import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import MessageDigest

/// Fixed work by which a session measures how fast the machine was: once at its start, in its middle and at its end.
///
/// The work is done by the C library and the kernel, whose code is the same in every build of this one, and its result
/// is checked, so no optimizer can leave any of it out. A kernel's name ends in the version of its work: change the
/// work, raise the number, and no comparison sets the one beside the other.
public struct CanaryKernels: Sendable {
    /// How often each kernel's work is done at each moment. Once takes about 0.1 s.
    public var repetitions: Int
    /// Where the kernel of files works, on the file system whose speed matters.
    public var directory: String

    /// The memory that is left to others.
    private static let reserve = ByteCount.mebibytes(16)

    /// The usual number of repetitions: about half a second for each kernel.
    public static let defaultRepetitions = 5

    /// Canaries.
    public init(repetitions: Int = defaultRepetitions, directory: String) {
        self.repetitions = repetitions
        self.directory = directory
    }

    /// Times every kernel, adding to what was timed at other moments.
    ///
    /// Each round does the work of every kernel once: so the repetitions of one lie apart, and what disturbs the machine
    /// for a moment is scatter of some and not the speed of one.
    public func time(at moment: Canary.Moment, into canaries: inout [Canary]) {
        var timed: [CanaryKernel: Reading<[Double]>] = [:]
        for _ in 0..<max(1, repetitions) {
            for kernel in CanaryKernel.allCases {
                let known = timed[kernel] ?? .value([])
                guard let seconds = known.value else { continue }
                timed[kernel] = once(kernel).map { seconds + [$0] }
            }
        }
        canaries.add(
            CanaryKernel.allCases.map {
                Canary(name: $0.rawValue, repetitions: [moment: timed[$0]].compactMapValues(\.self))
            })
    }

    /// How long a kernel's work took, in seconds.
    private func once(_ kernel: CanaryKernel) -> Reading<Double> {
        // The kernel kills who takes more than there is: then there would be no capture at all.
        if let free = FreeMemory.now(), free < kernel.memory + Self.reserve {
            return .unavailable(
                reason:
                    "it takes \(kernel.memory.mebibytes.fixed(0)) MiB of memory, and \(free.mebibytes.fixed(0)) MiB are free "
                    + "here (\(Self.reserve.mebibytes.fixed(0)) MiB are to stay free)")
        }
        do throws(SystemError) {
            return .value(try kernel.time(in: directory).inSeconds)
        } catch {
            return .unavailable(reason: error.description)
        }
    }
}

/// One kind of fixed work.
enum CanaryKernel: String, CaseIterable {
    // In order of name, as files that give names no order are read.

    /// Files and system calls: 2,000 times create, write, read back, remove.
    case files = "files-2000-2"
    /// Memory: a block of 64 MiB copied, sixteen times, by the C library.
    case memory = "memmove-1GiB-2"
    /// Arithmetic: SHA-256 of 24 MiB, a block that stays in the cache, by libmd.
    case arithmetic = "sha256-24MiB-1"

    /// Does the work once and returns how long it took.
    func time(in directory: String) throws(SystemError) -> Duration {
        switch self {
        case .arithmetic: CanaryKernel.digest()
        case .memory: CanaryKernel.copy()
        case .files: try CanaryKernel.writeFiles(in: directory)
        }
    }

    /// The most memory that the work takes.
    var memory: ByteCount {
        switch self {
        case .files, .arithmetic: .mebibytes(1)
        case .memory: .mebibytes(128)
        }
    }

    private static func digest() -> Duration {
        let block = [UInt8](repeating: 0x5A, count: 1 << 18)
        var digest = SHA256()
        let start = SystemClock.monotonicNanoseconds
        for _ in 0..<96 { digest.update(block) }
        let text = digest.hexadecimal()
        let taken = SystemClock.monotonicNanoseconds - start
        precondition(text.hasPrefix("bf3fcab7"), "the digest of the canary is wrong: \(text)")
        return Duration(nanosecondCount: taken)
    }

    private static func copy() -> Duration {
        let size = 64 << 20
        let source = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        defer {
            source.deallocate()
            target.deallocate()
        }
        // Every page is there before the clock runs: page faults are the kernel's work, not the memory's.
        source.initializeMemory(as: UInt64.self, repeating: 0x5A5A_5A5A_5A5A_5A5A)
        target.copyMemory(from: UnsafeRawBufferPointer(source))
        let start = SystemClock.monotonicNanoseconds
        for round in 0..<16 {
            source[round] = UInt8(round)
            target.copyMemory(from: UnsafeRawBufferPointer(source))
        }
        let taken = SystemClock.monotonicNanoseconds - start
        precondition(target[15] == 15 && target[size - 1] == 0x5A, "the canary's copy is wrong")
        return Duration(nanosecondCount: taken)
    }

    private static func writeFiles(in directory: String) throws(SystemError) -> Duration {
        let path = "\(directory)/.canary.\(CurrentProcess.pid).\(SystemClock.monotonicNanoseconds).tmp"
        let content = [UInt8](repeating: 0x5A, count: 4096)
        let start = SystemClock.monotonicNanoseconds
        for _ in 0..<2000 {
            try FileDescriptor.open(path, .createNew, followingLinks: false).write(content)
            let back = try FileDescriptor.open(path, .read).read(upTo: 4096)
            precondition(back.count == content.count, "the canary's file is cut off")
            try Files.remove(path)
        }
        return Duration(nanosecondCount: SystemClock.monotonicNanoseconds - start)
    }
}
